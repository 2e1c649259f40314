"""Batch norm as part of the layer before it.

Krishnamoorthi 2018, arXiv:1806.08342, section 3.2: with the running mean and variance,

    factor = gamma / sqrt(variance + eps)
    weight' = weight * factor          bias' = beta + (bias - mean) * factor

Departure: no correction by the batch's own statistics. A training folds the running ones, which
follow the data for a warm-up and are frozen after it, so that it computes what is exported.
"""

from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError


def folded(weight: Tensor, bias: Tensor | None, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight ``(out, ...)`` and bias ``(out,)`` of layer and norm in one; differentiable."""
    factor, shift = scale_and_shift(norm)
    wide = factor.reshape(-1, *[1] * (weight.ndim - 1))
    return weight * wide, shift if bias is None else shift + bias * factor


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """``y = x * scale + shift`` of a batch norm that uses its running statistics.

    Raises:
        ValueError: If it keeps none.
    """
    own: Any = norm
    if own.running_var is None:
        raise InputError("a batch norm without running statistics cannot be folded")
    scale = torch.rsqrt(own.running_var + own.eps)
    if own.weight is not None:
        scale = scale * own.weight
    shift = -own.running_mean * scale
    return scale, shift if own.bias is None else shift + own.bias
