"""Qronos: correct the errors of the past, then diffuse those of rounding.

Zhang, Zhang, Colbert & Saab, "Qronos: Correcting the Past by Shaping the Future... in Post-Training
Quantization", ICLR 2026, arXiv:2505.11695. With inputs ``X`` of the float and ``X~`` of the
quantized network it minimizes ``||X w - X~ q||^2`` for each row. For column ``t`` it alternates

    q_t = the grid's value of least ||X w - sum_(j<t) q_j X~_j - q_t X~_t - sum_(j>t) w_j X~_j||^2
    w_(>t) = argmin over v of ||X w - sum_(j<=t) q_j X~_j - sum_(j>t) v_j X~_j||^2.

The second line leaves a residual that is orthogonal to all later columns. Hence (Theorem 3.1 and
Remark 3.3) only the first column needs the mismatch, with ``H = X~^T X~`` and ``G = X~^T X``:

    q_1 = Q( (G_1 w - H_(1,>1) w_(>1)) / H_11 )
    w_(>1) = H_(>1,>1)^-1 (G_(>1) w - H_(>1,1) q_1)

and from the second one on, ``q_t = Q(w_t)`` with the updates of :mod:`qat.ptq.diffusion`
(Lemma 3.2).

Differs from the paper: damping adds ``d I`` to ``H`` and to ``G``. That is the penalty
``d ||v - w||^2``, so weights do not shrink, and with equal inputs the result is that of GPTQ.
Convolutions are products with patches. ``act_order`` rounds the columns of the largest inputs
first.

Cites: zhang2026qronos.
"""

import torch
from torch import Tensor

from qat.ptq.diffusion import ColumnOrder, damped, diffuse, inverse_root
from qat.ptq.held import hold
from qat.ptq.input_moments import moments
from qat.ptq.layer_matrix import LayerMatrix
from qat.ptq.layers import Layer
from qat.ptq.step import LayerStep
from qat.ptq.weight_grid import WeightGrid


class Qronos(LayerStep):
    """Round each layer so that its output is nearest to that of the float network."""

    @torch.no_grad()
    def change_layer(self, layer: Layer) -> None:
        """Choose the codes of one layer, and hold them."""
        own = LayerMatrix.of(layer)
        pairs = zip(own.batches(layer.inputs), own.batches(layer.float_inputs), strict=True)
        hessian, cross = moments(layer.twin, pairs)
        terms = {key: self.options[key] for key in ("damping", "act_order")}
        hold(layer.twin, own.codes(qronos_codes(own.weight, hessian, cross, own.grid, **terms)))


def qronos_codes(
    weight: Tensor,
    hessian: Tensor,
    cross: Tensor,
    grid: WeightGrid,
    *,
    damping: float,
    act_order: bool,
) -> Tensor:
    """Codes of Qronos, ``(groups, out, k)``, as doubles.

    Args:
        weight: ``(groups, out, k)``, double.
        hessian: ``H``, ``(groups, k, k)``, double.
        cross: ``G``, ``(groups, k, k)``, double.
        grid: The values of each element.
        damping: Fraction of the mean of the diagonal of ``H`` that is added to ``H`` and ``G``.
        act_order: Round the columns of the largest inputs first.
    """
    order = ColumnOrder.of(hessian, act_order)
    w, h = order.columns(weight), order.square(hessian)
    root, added = inverse_root(h, damping), damped(h, damping) - h
    h, wanted = h + added, w @ (order.square(cross) + added).mT
    at = order.at(0, w.shape[1])
    first = wanted[:, :, 0] - (w[:, :, 1:] @ h[:, 1:, :1]).squeeze(2)
    first = grid.nearest(first / h[:, 0, 0, None], at)
    rest = wanted[:, :, 1:] - grid.values(first, at).unsqueeze(2) * h[:, :1, 1:]
    later = root[:, 1:, 1:]
    best = torch.cat([w[:, :, :1], rest @ later.mT @ later], dim=2)
    codes = diffuse(best, root, grid, order, start=1)
    codes[:, :, 0] = first
    return order.undo(codes)
