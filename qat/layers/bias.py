"""Biases as 32-bit integers.

Jacob et al. 2018, arXiv:1712.05877, Eq. 11: with input scale ``s_x`` and weight scale ``s_w``,

    codes = clamp(round(bias / (s_x * s_w)), -2^31, 2^31 - 1),    zero point 0

so that they are added to the accumulator as they are.

A channel whose weights are tiny beside its bias has a step so small that the bias does not fit. Its
weight scale is raised until it does, as onnxruntime's quantizer does:

    s_w >= max|bias| / (s_x * 2^30)

to half of the accumulator's range, which leaves the other half to the sums that are added.
"""

import torch
from torch import Tensor

from qat.core.kernels import grad_of

LIMIT = 2**31
ROOM = 2**30
"""Codes of a bias stay within it, where the weight scale can be chosen."""


def bias_codes(bias: Tensor, step: Tensor) -> Tensor:
    """Integer codes of a bias, int32; computed in double precision."""
    codes = torch.round(bias.detach().double() / step.double())
    return codes.clamp(-LIMIT, LIMIT - 1).to(torch.int32)


def saturated(bias: Tensor, step: Tensor) -> int:
    """How many elements of a bias have no code of 32 bits and are clamped."""
    codes = torch.round(bias.detach().double() / step.double())
    return int(((codes < -LIMIT) | (codes > LIMIT - 1)).sum())


def least_weight_scale(bias: Tensor, input_scale: Tensor, like: Tensor) -> Tensor:
    """The weight scale, of the shape of ``like``, from which on a bias has room.

    Args:
        bias: ``(out,)``.
        input_scale: Of the layer's input, one element.
        like: Weight scales, one or one an output channel.
    """
    largest = bias.detach().double().abs()
    if like.numel() == 1:
        largest = largest.amax()
    least = largest / (input_scale.detach().double().reshape(()) * ROOM)
    return least.reshape(like.shape).to(like.dtype)


def bias_values(codes: Tensor, step: Tensor) -> Tensor:
    """What codes stand for, in double precision."""
    return codes.double() * step.double()


def fake_round(bias: Tensor, step: Tensor) -> Tensor:
    """The value of a bias's codes; its gradient is passed straight through."""
    value = bias_values(bias_codes(bias, step), step).to(bias.dtype)
    return grad_of(value, bias)
