"""GPFQ: greedy path following.

Lybrand & Saab, "A Greedy Algorithm for Quantizing Neural Networks", JMLR 2021, arXiv:2010.11979;
Zhang, Zhou & Saab 2023, arXiv:2201.11113. The output of a row, ``X w``, is a path of ``k`` steps
``w_t X_t``. A second path takes steps ``q_t X~_t`` on the grid and stays as near as it can:

    u_0 = 0
    q_t = Q( <X~_t, u_(t-1) + w_t X_t> / ||X~_t||^2 )
    u_t = u_(t-1) + w_t X_t - q_t X~_t

where ``X_t`` is column ``t`` of the inputs in the float network and ``X~_t`` that in the quantized
network, so errors of earlier layers are corrected too. The columns of ``u`` are as long as there
are rows of inputs; only their products with ``X~`` matter, and these are sums of elements of ``G =
X~^T X`` and ``H = X~^T X~``:

    <X~_t, u_(t-1)> = sum over j < t of (w_j G_tj - q_j H_tj).

Differs from the papers: any grid, with its scale from calibration; a convolution uses all its
patches; ``act_order`` visits the columns of the largest inputs first. A column of zeros is rounded
to nearest.

Cites: lybrand2021gpfq, zhang2023gpfq.
"""

import torch
from torch import Tensor

from qat.ptq.diffusion import ColumnOrder
from qat.ptq.held import hold
from qat.ptq.input_moments import moments
from qat.ptq.layer_matrix import LayerMatrix
from qat.ptq.layers import Layer
from qat.ptq.step import LayerStep
from qat.ptq.weight_grid import WeightGrid


class GPFQ(LayerStep):
    """Round each layer so that its output follows that of the float network."""

    @torch.no_grad()
    def change_layer(self, layer: Layer) -> None:
        """Choose the codes of one layer, and hold them."""
        own = LayerMatrix.of(layer)
        pairs = zip(own.batches(layer.inputs), own.batches(layer.float_inputs), strict=True)
        hessian, cross = moments(layer.twin, pairs)
        act_order = self.options["act_order"]
        codes = gpfq_codes(own.weight, hessian, cross, own.grid, act_order=act_order)
        hold(layer.twin, own.codes(codes))


def gpfq_codes(
    weight: Tensor, hessian: Tensor, cross: Tensor, grid: WeightGrid, *, act_order: bool
) -> Tensor:
    """Codes of GPFQ, ``(groups, out, k)``, as doubles.

    Args:
        weight: ``(groups, out, k)``, double.
        hessian: ``H``, ``(groups, k, k)``, double.
        cross: ``G``, ``(groups, k, k)``, double.
        grid: The values of each element.
        act_order: Visit the columns of the largest inputs first.
    """
    order = ColumnOrder.of(hessian, act_order)
    w, h, g = order.columns(weight), order.square(hessian), order.square(cross)
    products, codes = torch.zeros_like(w), torch.zeros_like(w)  # products: <X~_t, u> for each t
    for t in range(w.shape[2]):
        at, norm = order.at(t, w.shape[1]), h[:, t, t, None]
        step = w[:, :, t, None]
        wanted = products[:, :, t] + w[:, :, t] * g[:, t, t, None]
        wanted = torch.where(norm > 0, wanted / torch.where(norm > 0, norm, 1.0), w[:, :, t])
        codes[:, :, t] = grid.nearest(wanted, at)
        taken = grid.values(codes[:, :, t], at).unsqueeze(2)
        products += step * g[:, None, :, t] - taken * h[:, None, :, t]
    return order.undo(codes)
