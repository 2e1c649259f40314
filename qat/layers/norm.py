"""Fold batch norm into the layer before it.

Krishnamoorthi 2018, arXiv:1806.08342, section 3.2: with the running mean and variance,

    factor = gamma / sqrt(variance + eps)
    weight' = weight * factor          bias' = beta + (bias - mean) * factor

Differs from the paper: no correction by the statistics of the batch. Training folds the running
statistics, which follow the data during a warm-up and are frozen after it, so that training
computes what is exported.
"""

from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError


def folded(weight: Tensor, bias: Tensor | None, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a layer that computes ``norm(layer(x))``; differentiable.

    Args:
        weight: ``(out, ...)``, of the layer.
        bias: ``(out,)``, of the layer; None counts as zero.
        norm: The batch norm, with running statistics.

    Returns:
        Weight ``(out, ...)`` and bias ``(out,)``.

    Raises:
        InputError: If the norm has no running statistics.

    Example:
        >>> norm = nn.BatchNorm1d(1, eps=0).eval()
        >>> _, _ = norm.running_mean.fill_(3), norm.running_var.fill_(4)
        >>> weight, bias = folded(torch.tensor([[2.0]]), torch.tensor([1.0]), norm)
        >>> weight.item(), bias.item()  # (2 x + 1 - 3) / 2
        (1.0, -1.0)
    """
    factor, shift = scale_and_shift(norm)
    wide = factor.reshape(-1, *[1] * (weight.ndim - 1))
    return weight * wide, shift if bias is None else shift + bias * factor


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """``(scale, shift)`` with which a batch norm in evaluation mode is ``x * scale + shift``.

    Raises:
        InputError: If the norm has no running statistics.
    """
    own: Any = norm
    if own.running_var is None:
        raise InputError(
            "a batch norm without running statistics cannot be folded: create it with "
            "track_running_stats=True"
        )
    scale = torch.rsqrt(own.running_var + own.eps)
    if own.weight is not None:
        scale = scale * own.weight
    shift = -own.running_mean * scale
    return scale, shift if own.bias is None else shift + own.bias
