"""GPTQ: round column by column, with second-order updates of the columns that remain.

Frantar, Ashkboos, Hoefler & Alistarh, "GPTQ: Accurate Post-Training Quantization for Generative
Pre-trained Transformers", ICLR 2023, arXiv:2210.17323. It minimizes for each row

    ||X~ v - X~ w||^2 = (v - w) H (v - w)^T,    H = X~^T X~      Eq. 1

over the grid of the row: all rows round the same column, then Eq. 2 changes the columns that are
left, and Eq. 3 takes the column out of ``H^-1`` (:mod:`qat.ptq.diffusion`). ``H`` is damped by a
fraction of the mean of its diagonal (1 %).

Differs from the paper: convolutions too, as products with patches; the groups of a grouped
convolution are independent matrices. With ``act_order`` the columns of the largest inputs come
first (an option of the authors' program, not of the paper). A column whose inputs are always zero
is rounded to nearest instead of set to zero. Group scales are those of the calibration; they are
not taken again when a group is reached.

Cites: frantar2023gptq.
"""

import torch
from torch import Tensor

from qat.ptq.diffusion import ColumnOrder, diffuse, inverse_root
from qat.ptq.held import hold
from qat.ptq.input_moments import second_moment
from qat.ptq.layer_matrix import LayerMatrix
from qat.ptq.layers import Layer
from qat.ptq.step import LayerStep
from qat.ptq.weight_grid import WeightGrid


class GPTQ(LayerStep):
    """Round each layer by the second moments of its inputs in the quantized network."""

    @torch.no_grad()
    def change_layer(self, layer: Layer) -> None:
        """Choose the codes of one layer, and hold them."""
        own = LayerMatrix.of(layer)
        hessian = second_moment(layer.twin, own.batches(layer.inputs))
        damping, act_order = self.options["damping"], self.options["act_order"]
        codes = gptq_codes(own.weight, hessian, own.grid, damping=damping, act_order=act_order)
        hold(layer.twin, own.codes(codes))


def gptq_codes(
    weight: Tensor, hessian: Tensor, grid: WeightGrid, *, damping: float, act_order: bool
) -> Tensor:
    """Codes of GPTQ, ``(groups, out, k)``, as doubles.

    Args:
        weight: ``(groups, out, k)``, double.
        hessian: ``H``, ``(groups, k, k)``, double.
        grid: The values of each element.
        damping: Fraction of the mean of the diagonal of ``H`` that is added to it.
        act_order: Round the columns of the largest inputs first.
    """
    order = ColumnOrder.of(hessian, act_order)
    root = inverse_root(order.square(hessian), damping)
    return order.undo(diffuse(order.columns(weight).clone(), root, grid, order))
