"""COMQ: minimize the error of a layer's output over one code or one scale at a time.

Zhang, Yang, Wang, Qi, Xin, Li & Yin, "COMQ: A Backpropagation-Free Algorithm for Post-Training
Quantization", arXiv:2403.07134. With scale ``s`` and whole numbers ``c = q - zero_point``, a row
has the error ``||X~ (s c - w)||^2``. Start at ``s c = w`` (not whole yet). A sweep visits every
column and replaces its value by the best one of the grid, all others fixed,

    s c_i = Q( <X~_i, X~ w - sum_(j != i) s c_j X~_j> / ||X~_i||^2 )

and then takes the scale of least error,

    s = <X~ c, X~ w> / ||X~ c||^2.

Columns are visited in a greedy order, those of the largest ``|w_i| ||X~_i||`` first, each row in
its own. Inputs enter by ``H = X~^T X~`` alone: with the gradient ``g = H (w - s c)`` the argument
of ``Q`` is ``s c_i + g_i / H_ii``, and the change of the scale is ``<c, g> / <c, H c>``.

Differs from the paper: the first scale is the calibrated one; inputs are those of the network
whose earlier layers are rounded (the authors' program takes those of the float network); with one
scale for a group of columns, or for the whole tensor, its update is the best for that scale with
all others fixed. Scales do not move if ``update_scale`` is false, or if they must be powers of two.
The zero point stays. Without the greedy order columns are visited from the first to the last.

Cites: zhang2024comq.
"""

import torch
from torch import Tensor

from qat.ptq.held import hold
from qat.ptq.input_moments import second_moment
from qat.ptq.layer_matrix import LayerMatrix
from qat.ptq.layers import Layer
from qat.ptq.step import LayerStep
from qat.ptq.weight_grid import AffineGrid, WeightGrid
from qat.quantizers.base import Quantizer


class COMQ(LayerStep):
    """Round each layer by sweeps over its columns."""

    @torch.no_grad()
    def change_layer(self, layer: Layer) -> None:
        """Choose codes and scales of one layer, and hold them."""
        own, quantizer = LayerMatrix.of(layer), layer.twin.weight_quantizer
        assert isinstance(quantizer, Quantizer)
        hessian = second_moment(layer.twin, own.batches(layer.inputs))
        codes, grid = comq_codes(
            own.weight,
            hessian,
            own.grid,
            sweeps=self.options["sweeps"],
            greedy=self.options["greedy"],
            update_scale=self.options["update_scale"] and quantizer.spec.scale == "free",
        )
        if isinstance(grid, AffineGrid) and grid is not own.grid:
            qparams = quantizer.qparams()
            scale = grid.scales(qparams.layout.shape).to(qparams.scale.dtype)
            quantizer.set_qparams(scale, qparams.zero_point)
            layer.twin.fit_bias()
        hold(layer.twin, own.codes(codes))


def comq_codes(
    weight: Tensor,
    hessian: Tensor,
    grid: WeightGrid,
    *,
    sweeps: int,
    greedy: bool,
    update_scale: bool,
) -> tuple[Tensor, WeightGrid]:
    """Codes of COMQ, ``(groups, out, k)``, as doubles, and the grid with its final scales.

    Args:
        weight: ``(groups, out, k)``, double.
        hessian: ``H``, ``(groups, k, k)``, double.
        grid: The values of each element; a codebook has no scale that could move.
        sweeps: Visits of every column.
        greedy: Visit the columns of the largest products of weight and input first.
        update_scale: Take the best scale after each sweep.
    """
    order = _order(weight, hessian, greedy)
    codes, values = torch.zeros_like(weight), weight.clone()
    for _ in range(sweeps):
        _sweep(codes, values, (weight - values) @ hessian, hessian, grid, order)
        if update_scale and isinstance(grid, AffineGrid):
            grid = _best_scale(weight, codes, hessian, grid)
            values = grid.scale * (codes - grid.zero_point)
    return codes, grid


def _order(weight: Tensor, hessian: Tensor, greedy: bool) -> Tensor:
    """Place in the order → column, for each row, ``(groups, out, k)``."""
    if not greedy:
        return torch.arange(weight.shape[2], device=weight.device).expand_as(weight)
    norms = hessian.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt()
    sizes = weight.abs() * norms.unsqueeze(1)
    return torch.argsort(sizes, dim=2, descending=True, stable=True)


def _sweep(
    codes: Tensor,
    values: Tensor,
    gradient: Tensor,
    hessian: Tensor,
    grid: WeightGrid,
    order: Tensor,
) -> None:
    """Visit every column once; changes codes, values and gradient in place."""
    diagonal = hessian.diagonal(dim1=1, dim2=2).unsqueeze(1).expand_as(values)
    group = torch.arange(len(values), device=values.device).unsqueeze(1)
    for t in range(values.shape[2]):
        at = order[:, :, t]
        index = at.unsqueeze(2)
        before = values.gather(2, index).squeeze(2)
        curve = diagonal.gather(2, index).squeeze(2)
        slope = gradient.gather(2, index).squeeze(2)
        moved = torch.where(curve > 0, slope / torch.where(curve > 0, curve, 1.0), 0.0)
        chosen = grid.nearest(before + moved, at)
        after = grid.values(chosen, at)
        codes.scatter_(2, index, chosen.unsqueeze(2))
        values.scatter_(2, index, after.unsqueeze(2))
        gradient -= (after - before).unsqueeze(2) * hessian[group, at]


def _best_scale(weight: Tensor, codes: Tensor, hessian: Tensor, grid: AffineGrid) -> AffineGrid:
    """The scales of least error, one part of the columns after the other."""
    whole, scale = codes - grid.zero_point, grid.scale.clone()
    size = weight.shape[2] // grid.parts
    for begin in range(0, weight.shape[2], size):
        own = slice(begin, begin + size)
        part = whole[:, :, own]
        slope = ((weight - scale * whole) @ hessian[:, :, own] * part).sum(dim=2, keepdim=True)
        curve = (part @ hessian[:, own, own] * part).sum(dim=2, keepdim=True)
        if grid.shared:
            slope, curve = slope.sum(), curve.sum()
        change = torch.where(curve > 0, slope / torch.where(curve > 0, curve, 1.0), 0.0)
        moved = scale[:, :, own] + change
        scale[:, :, own] = torch.where(moved > 0, moved, scale[:, :, own])
    return grid.with_scale(scale)
