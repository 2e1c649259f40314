"""Many tensors rounded in one step of the gradient graph, such as all weights of a network."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from qat.core.affine import quantize_dequantize
from qat.core.rounding import Rounding, gradients

_SAVED = 4  # tensors of each rounding that the backward pass reads


def all_rounded(tensors: Sequence[Tensor], roundings: Sequence[Rounding]) -> tuple[Tensor, ...]:
    """Round each tensor, with the gradients of its rounding.

    The results are those of :func:`qat.core.rounding.rounded` for each. What a step of the gradient
    graph costs beside its arithmetic is paid once and not for each tensor.

    Args:
        tensors: Values, each of a shape that its layout allows.
        roundings: One for each tensor.

    Example:
        >>> from qat.core.grid import IntGrid
        >>> from qat.core.layout import Layout
        >>> from qat.core.qparams import QParams
        >>> from qat.core.rounding import straight_through
        >>> qparams = QParams(torch.ones(1), torch.zeros(1), IntGrid(4, signed=True), Layout())
        >>> values = torch.tensor([0.6]), torch.tensor([9.0, -9.0])
        >>> [y.tolist() for y in all_rounded(values, [straight_through(qparams)] * 2)]
        [[1.0], [7.0, -8.0]]
    """
    scales = [rounding.scale for rounding in roundings]
    learned = [rounding.learned for rounding in roundings]
    offsets = [rounding.offset for rounding in roundings]
    terms = *tensors, *scales, *learned, *offsets
    return _RoundAll.apply(tuple(roundings), *terms)  # type: ignore[no-any-return]


class _RoundAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, roundings: tuple[Rounding, ...], *tensors: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        count = len(roundings)
        values, scales, learned = (tensors[i * count :][:count] for i in range(3))
        ctx.roundings = roundings
        ctx.set_materialize_grads(False)
        zeros = (rounding.zero_point for rounding in roundings)
        saved = zip(values, scales, zeros, learned, strict=True)
        ctx.save_for_backward(*(tensor for one in saved for tensor in one))
        return tuple(map(_rounded, values, scales, roundings))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        results: list[tuple[Tensor | None, ...]] = []
        for index, (grad, rounding) in enumerate(zip(grads, ctx.roundings, strict=True)):
            x, scale, zero_point, learned = ctx.saved_tensors[index * _SAVED :][:_SAVED]
            if grad is None:
                results.append((None, None, None, None))
            else:
                results.append(gradients(grad, None, x, scale, zero_point, learned, rounding))
        return None, *(tensor for part in zip(*results, strict=True) for tensor in part)


def _rounded(x: Tensor, scale: Tensor, rounding: Rounding) -> Tensor:
    layout, grid = rounding.layout, rounding.grid
    rows = layout.sliced(x)
    value = quantize_dequantize(rows, scale, rounding.zero_point, grid.qmin, grid.qmax)
    return layout.unsliced(value, x)
