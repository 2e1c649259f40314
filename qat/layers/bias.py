"""Biases as 32-bit integers.

Jacob et al. 2018, arXiv:1712.05877, Eq. 11: with input scale ``s_x`` and weight scale ``s_w``,

    codes = clamp(round(bias / (s_x * s_w)), -2^31, 2^31 - 1),    zero point 0

so that an integer runtime can add them to the accumulator without conversion.

If the weights of a channel are tiny beside its bias, the step ``s_x * s_w`` is so small that the
code of the bias exceeds 32 bits. Its weight scale is then raised, as in onnxruntime's quantizer:

    s_w >= max|bias| / (s_x * 2^30)

so that bias codes take at most half of the range of the accumulator. The other half remains for
the sums of products.
"""

import torch
from torch import Tensor

from qat.core.kernels import grad_of

LIMIT = 2**31
ROOM = 2**30
"""Limit of bias codes where the weight scale can be raised; :data:`LIMIT` holds elsewhere."""


def bias_codes(bias: Tensor, step: Tensor) -> Tensor:
    """Integer codes of a bias, computed in double precision; values out of range saturate.

    Args:
        bias: ``(out,)``.
        step: Scale of the codes, ``(1,)`` or ``(out,)``.

    Returns:
        int32, of the shape of ``bias``.

    Example:
        >>> bias_codes(torch.tensor([0.3, -0.75, 1.0]), torch.tensor([0.5])).tolist()
        [1, -2, 2]
    """
    codes = torch.round(bias.detach().double() / step.double())
    return codes.clamp(-LIMIT, LIMIT - 1).to(torch.int32)


def saturated(bias: Tensor, step: Tensor) -> int:
    """Number of elements of a bias whose codes do not fit 32 bits and saturate.

    Args:
        bias: ``(out,)``.
        step: Scale of the codes, ``(1,)`` or ``(out,)``.

    Example:
        >>> saturated(torch.tensor([1.0, -3.0, 3.0]), torch.tensor([1e-9]))
        2
    """
    codes = torch.round(bias.detach().double() / step.double())
    return int(((codes < -LIMIT) | (codes > LIMIT - 1)).sum())


def least_weight_scale(bias: Tensor, input_scale: Tensor, like: Tensor) -> Tensor:
    """The smallest weight scales at which all bias codes are within ``ROOM``.

    Args:
        bias: ``(out,)``.
        input_scale: Scale of the input of the layer, one element.
        like: Weight scales, one, or one for each output channel; gives shape and dtype.

    Returns:
        Of the shape of ``like``.
    """
    largest = bias.detach().double().abs()
    if like.numel() == 1:
        largest = largest.amax()
    least = largest / (input_scale.detach().double().reshape(()) * ROOM)
    return least.reshape(like.shape).to(like.dtype)


def bias_values(codes: Tensor, step: Tensor) -> Tensor:
    """Values of bias codes, ``codes * step``, in double precision.

    Args:
        codes: ``(out,)``, integers.
        step: Scale of the codes, ``(1,)`` or ``(out,)``.
    """
    return codes.double() * step.double()


def fake_round(bias: Tensor, step: Tensor) -> Tensor:
    """A bias rounded to its codes, with a straight-through estimator.

    Args:
        bias: ``(out,)``.
        step: Scale of the codes, ``(1,)`` or ``(out,)``; it gets no gradient.
    """
    value = bias_values(bias_codes(bias, step), step).to(bias.dtype)
    return grad_of(value, bias)
