"""Rounding to floats of few bits, their codes, and the values of codes.

The step of a value is ``2^max(floor(log2|x|), 1 - bias) * 2^-M``. Dividing by a power of two and
multiplying by it is exact, so that rounding to a multiple of the step, half to even, is rounding to
the nearest value of the format with an even mantissa in a tie.
"""

from functools import cache

import torch
from torch import Tensor

from qat.core.formats import LOW_BIT_FORMATS, FloatFormat

_EXPONENT_BITS = {torch.float32: 0x7F800000, torch.float64: 0x7FF0000000000000}
_INTEGERS = {torch.float32: torch.int32, torch.float64: torch.int64}


def binade(magnitude: Tensor) -> Tensor:
    """``2^floor(log2(x))`` of each value; 0 for zero and subnormal values, infinity for NaN.

    Args:
        magnitude: float32 or float64, not negative.

    Example:
        >>> binade(torch.tensor([0.3, 6.0]))
        tensor([0.2500, 4.0000])
    """
    bits = magnitude.view(_INTEGERS[magnitude.dtype])
    return (bits & _EXPONENT_BITS[magnitude.dtype]).view(magnitude.dtype)


def rounded_to(x: Tensor, name: str) -> Tensor:
    """The nearest value of a format; values beyond the largest one saturate, NaN stays NaN.

    Args:
        x: float32 or float64.
        name: Of :data:`qat.core.formats.LOW_BIT_FORMATS`.

    Example:
        >>> rounded_to(torch.tensor([2.5, -3.4, 99.0]), "fp4_e2m1")
        tensor([ 2., -3.,  6.])
    """
    form = LOW_BIT_FORMATS[name]
    magnitude = x.abs().clamp(max=form.largest)
    step = binade(magnitude).clamp(min=form.smallest_normal) * 2.0**-form.mantissa_bits
    return torch.copysign(torch.round(magnitude / step) * step, x)


def codes_of(values: Tensor, name: str) -> Tensor:
    """The bits of values of a format, as int32.

    Args:
        values: Values of the format, such as :func:`rounded_to` returns.
        name: Of the format.

    Example:
        >>> codes_of(torch.tensor([0.5, -6.0]), "fp4_e2m1").tolist()
        [1, 15]
    """
    form = LOW_BIT_FORMATS[name]
    magnitude = values.abs()
    binades = binade(magnitude).clamp(min=form.smallest_normal)
    in_binade = magnitude / binades * 2.0**form.mantissa_bits
    above = (torch.frexp(binades).exponent - 1 - (1 - form.bias)) * (1 << form.mantissa_bits)
    codes = in_binade.to(torch.int32) + above.to(torch.int32)
    negative = torch.signbit(values)
    if form.is_integer:
        return torch.where(negative, -codes, codes) & ((1 << form.bits) - 1)
    return codes + negative.to(torch.int32) * (1 << (form.bits - 1))


def values_of(codes: Tensor, name: str) -> Tensor:
    """The values of codes, float32; the inverse of :func:`codes_of`.

    Args:
        codes: Integers from 0, of any shape.
        name: Of the format.

    Example:
        >>> values_of(torch.arange(8), "fp4_e2m1").tolist()
        [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    """
    return _table(name).to(codes.device)[codes.long()]


@cache
def levels_of(name: str) -> Tensor:
    """The different finite values of a format in ascending order, float32.

    Example:
        >>> len(levels_of("fp8_e4m3"))  # 256 codes without two NaN and the second zero
        253
    """
    table = _table(name)
    levels = table[torch.isfinite(table) & (table.abs() <= LOW_BIT_FORMATS[name].largest)]
    return levels.unique()


@cache
def _table(name: str) -> Tensor:
    form = LOW_BIT_FORMATS[name]
    codes = torch.arange(1 << form.bits, dtype=torch.int32)
    if form.is_integer:
        half = 1 << (form.bits - 1)
        return torch.where(codes < half, codes, codes - 2 * half) * form.smallest_step
    return _special(_finite(codes, form), codes, name)


def _finite(codes: Tensor, form: FloatFormat) -> Tensor:
    """The values of codes by the formula, as if none was infinity or NaN."""
    mantissa = codes & ((1 << form.mantissa_bits) - 1)
    exponent = (codes >> form.mantissa_bits) & ((1 << form.exponent_bits) - 1)
    steps = torch.where(exponent > 0, mantissa + (1 << form.mantissa_bits), mantissa).float()
    values = torch.ldexp(steps * form.smallest_step, exponent.clamp(min=1) - 1)
    return torch.where(codes >> (form.bits - 1) > 0, -values, values)


def _special(values: Tensor, codes: Tensor, name: str) -> Tensor:
    """The values with infinity and NaN, which only FP8 has."""
    magnitude = codes & 0x7F
    if name.endswith("fp8_e4m3"):
        return torch.where(magnitude == 0x7F, torch.nan, values)
    if name.endswith("fp8_e5m2"):
        values = torch.where(magnitude == 0x7C, values.sign() * torch.inf, values)
        return torch.where(magnitude > 0x7C, torch.nan, values)
    return values
