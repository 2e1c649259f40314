"""MagR: reduce the largest weights while the layer's output stays nearly the same.

Zhang, Wang, Deng, Li, Yang & Yin, "MagR: Weight Magnitude Reduction for Enhancing Post-Training
Quantization", NeurIPS 2024, arXiv:2406.00800. Inputs of a layer are dependent, so many weights give
nearly one output. For each row it minimizes, by proximal gradient descent from ``w = w^``,

    1/2 ||X w - X w^||^2 + alpha ||w||_inf                                     Eq. 2
    v = w - eta H (w - w^),    eta = 1 / (largest eigenvalue of H = X^T X)     Eq. 3
    w = prox(v) = v - t P(v / t),    t = eta alpha                             Eq. 4

where ``P`` projects onto the ball of l1 norm 1 (Moreau: the prox of a norm is the identity minus
the projection onto the ball of the dual norm). It is a step before rounding: ranges of weights are
taken again after it.

Differs from the paper: the threshold ``t`` is ``alpha`` times the root mean square of the weights
that share a scale, so that ``alpha`` has no unit and holds for weights of any size; ``H`` is that
of the float network; the norm is over the elements that share a scale, whatever the granularity.

Cites: zhang2024magr.
"""

import torch
from torch import Tensor

from qat.ptq.held import set_folded_weight
from qat.ptq.input_moments import second_moment
from qat.ptq.layer_matrix import LayerMatrix
from qat.ptq.layers import Layer
from qat.ptq.step import LayerStep
from qat.ptq.weight_grid import AffineGrid, TableGrid, WeightGrid
from qat.quantizers.base import Quantizer

SETTLED = 1e-4
"""The descent ends early when no weight moves by more than this part of the threshold."""


class MagR(LayerStep):
    """Reduce the largest weights of each layer, and take its ranges again."""

    @torch.no_grad()
    def change_layer(self, layer: Layer) -> None:
        """Change the weight of one layer."""
        own, quantizer = LayerMatrix.of(layer), layer.twin.weight_quantizer
        assert isinstance(quantizer, Quantizer)
        hessian = second_moment(layer.twin, own.batches(layer.float_inputs))
        terms = {key: self.options[key] for key in ("alpha", "iterations")}
        smaller = reduced(own.weight, hessian, own.grid, **terms)
        set_folded_weight(layer.twin, smaller.reshape(own.like.shape).to(own.like.dtype))
        quantizer.observer.reset()
        quantizer.set_phase("observe")
        quantizer(layer.twin.folded()[0])
        quantizer.set_phase("quantize")
        layer.twin.fit_bias()


def reduced(
    weight: Tensor, hessian: Tensor, grid: WeightGrid, *, alpha: float, iterations: int
) -> Tensor:
    """The weight after MagR, ``(groups, out, k)``.

    Args:
        weight: ``(groups, out, k)``, double.
        hessian: ``H``, ``(groups, k, k)``, double.
        grid: Says which elements share a scale.
        alpha: Threshold of the prox, in root mean squares of these elements.
        iterations: Steps of the descent.
    """
    largest = torch.linalg.eigvalsh(hessian)[:, -1, None, None]
    # Single precision: hundreds of dense products, and the codes are chosen later.
    descent = (hessian / torch.where(largest > 0, largest, 1.0)).float()
    start = weight.float()
    rows = _slices(start, grid)
    threshold = alpha * rows.square().mean(dim=1, keepdim=True).sqrt()
    smaller = start
    for _ in range(iterations):
        stepped = smaller - (smaller - start) @ descent
        moved = prox_of_maximum(_slices(stepped, grid), threshold).reshape(start.shape)
        change, smaller = (moved - smaller).abs().max(), moved
        if change <= SETTLED * threshold.max():
            break
    return smaller.double()


def prox_of_maximum(v: Tensor, threshold: Tensor) -> Tensor:
    """``argmin over w of 1/2 ||w - v||^2 + threshold * max|w|`` of each row.

    It clips a row at the level where the cut parts add up to the threshold, and is zero if the row
    has a smaller sum of magnitudes.

    Args:
        v: ``(rows, n)``.
        threshold: ``(rows, 1)``, 0 or more.

    Example:
        >>> prox_of_maximum(torch.tensor([[3.0, -2.0, 0.5]]), torch.tensor([[2.0]]))
        tensor([[ 1.5000, -1.5000,  0.5000]])
    """
    sizes = v.abs().sort(dim=1, descending=True).values
    counts = torch.arange(1, v.shape[1] + 1, device=v.device)
    # The level if the largest 1, 2, ... elements are cut; the right number is the last one that
    # lies below the elements it cuts.
    levels = (sizes.cumsum(dim=1) - threshold) / counts
    cut = (levels < sizes).sum(dim=1, keepdim=True).clamp(min=1)
    level = levels.gather(1, cut - 1).clamp(min=0)
    return torch.minimum(torch.maximum(v, -level), level)


def _slices(weight: Tensor, grid: WeightGrid) -> Tensor:
    """The elements that share a scale, as rows."""
    if isinstance(grid, AffineGrid) and grid.shared:
        return weight.reshape(1, -1)
    parts = grid.levels.shape[2] if isinstance(grid, TableGrid) else grid.parts
    return weight.reshape(-1, weight.shape[2] // parts)
