"""Biases as 32-bit integers.

Jacob et al. 2018, arXiv:1712.05877, Eq. 11: with input scale ``s_x`` and weight scale ``s_w``,

    codes = clamp(round(bias / (s_x * s_w)), -2^31, 2^31 - 1),    zero point 0

so that they are added to the accumulator as they are.
"""

import torch
from torch import Tensor

from qat.core.kernels import grad_of

LIMIT = 2**31


def bias_codes(bias: Tensor, step: Tensor) -> Tensor:
    """Integer codes of a bias, int32; computed in double precision."""
    codes = torch.round(bias.detach().double() / step.double())
    return codes.clamp(-LIMIT, LIMIT - 1).to(torch.int32)


def bias_values(codes: Tensor, step: Tensor) -> Tensor:
    """What codes stand for, in double precision."""
    return codes.double() * step.double()


def fake_round(bias: Tensor, step: Tensor) -> Tensor:
    """The value of a bias's codes; its gradient is passed straight through."""
    value = bias_values(bias_codes(bias, step), step).to(bias.dtype)
    return grad_of(value, bias)
