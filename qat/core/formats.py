"""Number formats of few bits that are not integers: names, widths and limits, without torch.

- FP8 E4M3 and E5M2: Micikevicius et al. 2022, "FP8 Formats for Deep Learning", arXiv:2209.05433,
  in the variants of the OCP 8-bit Floating Point Specification (OFP8): E4M3 has no infinity.
- FP6, FP4 and the MX block formats: OCP Microscaling Formats (MX) Specification v1.0, and Rouhani
  et al. 2023, "Microscaling Data Formats for Deep Learning", arXiv:2310.10537.

A float of ``E`` exponent bits, ``M`` mantissa bits and bias ``b`` has, beside its sign, the values

    2^(e - b) * (1 + m / 2^M)      exponent field e >= 1
    2^(1 - b) * (m / 2^M)          e = 0 (subnormal)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log2

BLOCK = 32
"""Values that share a scale in an MX format."""

OFF_BITS = 32
"""Width of a tensor that stays float."""
USUAL_BITS = 8
"""The width of a scheme that names none; a low-bit format replaces it by its own."""


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """One format of few bits.

    ``int8`` of the MX formats has steps of 2^-6 up to 127/64. These are the values of a float of 1
    exponent and 6 mantissa bits, whose steps below 2 are all equal; its codes are integers.

    Attributes:
        exponent_bits: ``E``.
        mantissa_bits: ``M``.
        bias: Of the exponent.
        largest: Largest finite value.
        is_integer: Codes are in two's complement instead of sign and magnitude.

    Example:
        >>> form = FLOAT_FORMATS["fp4_e2m1"]
        >>> form.bits, form.largest, form.largest_exponent, form.smallest_step
        (4, 6.0, 2, 0.5)
    """

    exponent_bits: int
    mantissa_bits: int
    bias: int
    largest: float
    is_integer: bool = False

    @property
    def bits(self) -> int:
        """Width of a code: sign, exponent and mantissa."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def largest_exponent(self) -> int:
        """``floor(log2(largest))``, emax of the MX specification."""
        return floor(log2(self.largest))

    @property
    def smallest_normal(self) -> float:
        """``2^(1 - bias)``; below it all steps are equal."""
        return float(2.0 ** (1 - self.bias))

    @property
    def smallest_step(self) -> float:
        """Distance of the values around zero."""
        return float(self.smallest_normal * 2.0**-self.mantissa_bits)


FLOAT_FORMATS: Mapping[str, FloatFormat] = {
    "fp8_e4m3": FloatFormat(4, 3, bias=7, largest=448.0),
    "fp8_e5m2": FloatFormat(5, 2, bias=15, largest=57344.0),
    "fp6_e2m3": FloatFormat(2, 3, bias=1, largest=7.5),
    "fp6_e3m2": FloatFormat(3, 2, bias=3, largest=28.0),
    "fp4_e2m1": FloatFormat(2, 1, bias=1, largest=6.0),
}
"""Floats with a scale for each slice."""

MX_FORMATS: Mapping[str, FloatFormat] = {
    **{f"mx{name}": form for name, form in FLOAT_FORMATS.items()},
    "mxint8": FloatFormat(1, 6, bias=1, largest=127 / 64, is_integer=True),
}
"""Formats of the elements of blocks, which share a power of two as scale."""

LOW_BIT_FORMATS: Mapping[str, FloatFormat] = {**FLOAT_FORMATS, **MX_FORMATS}


def width_of(name: str) -> int | None:
    """Bits of a value in a format that has one width; None for ``int`` and ``float``.

    Example:
        >>> width_of("mxfp6_e3m2"), width_of("fp16"), width_of("int")
        (6, 16, None)
    """
    if name == "fp16":
        return 16
    return LOW_BIT_FORMATS[name].bits if name in LOW_BIT_FORMATS else None


def may_have_width(name: str, bits: int) -> bool:
    """Whether a width may stand beside a format that has one of its own.

    Args:
        name: Of the format; ``int`` and ``float`` have no width of their own.
        bits: The width's value: that of the format, that of a scheme which names none, or off.

    Example:
        >>> may_have_width("fp4_e2m1", 4), may_have_width("fp4_e2m1", 6), may_have_width("int", 6)
        (True, False, True)
    """
    width = width_of(name)
    return width is None or bits in (width, USUAL_BITS, OFF_BITS)


def conflict(
    name: str, *, signed: bool | None = None, symmetric: bool = True, narrow: bool = False
) -> str | None:
    """The setting that a low-bit format cannot have, what it allows, and why.

    Args:
        name: Of the format.
        signed: Of the spec.
        symmetric: Of the spec.
        narrow: Of the spec.

    Returns:
        ``symmetric=false, but ...``; None if there is no conflict.

    Example:
        >>> conflict("fp8_e4m3", signed=False)
        'signed=false, but fp8_e4m3 has a sign bit: set signed=true or null'
    """
    if name not in LOW_BIT_FORMATS:
        return None
    if signed is False:
        return f"signed=false, but {name} has a sign bit: set signed=true or null"
    if not symmetric:
        return f"symmetric=false, but {name} has no zero point: set symmetric=true"
    if narrow:
        return f"narrow=true, but {name} is symmetric about zero as it is: set narrow=false"
    return None
