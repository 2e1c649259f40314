"""The integer codes a quantizer may emit."""

from dataclasses import dataclass

from qat.base.errors import InputError

MIN_BITS, MAX_BITS = 2, 16
ONE_BIT_METHODS = ("binary", "sign")
"""Quantizers whose codes have 1 bit; all others have 2 bits or more."""


@dataclass(frozen=True, slots=True)
class IntGrid:
    """A run of integer codes ``qmin..qmax``.

    Signed: ``-2^(bits-1) .. 2^(bits-1) - 1``, unsigned: ``0 .. 2^bits - 1``. A narrow signed
    grid leaves out the most negative code and is symmetric about zero.

    Attributes:
        bits: Width of one code, 2 to 16; 1 only without signs, for the methods of two levels.
        signed: Two's-complement codes if true, codes from zero otherwise.
        narrow: Drop the most negative code, so that ``qmin == -qmax``.

    Raises:
        InputError: If ``bits`` is out of range, or an unsigned grid is to be narrow.

    Example:
        >>> IntGrid(bits=4, signed=True, narrow=True).qmin
        -7
        >>> IntGrid(bits=4, signed=False).qmax
        15
    """

    bits: int
    signed: bool
    narrow: bool = False

    def __post_init__(self) -> None:
        """Refuse widths out of range, and a narrow grid without signs."""
        if not MIN_BITS <= self.bits <= MAX_BITS and (self.bits, self.signed) != (1, False):
            raise InputError(f"bits must be {MIN_BITS} to {MAX_BITS}, got {self.bits}")
        if self.narrow and not self.signed:
            raise InputError(
                "a narrow grid must be signed: an unsigned one has no negative code to drop"
            )

    @property
    def qmin(self) -> int:
        """Smallest code."""
        return -(2 ** (self.bits - 1)) + int(self.narrow) if self.signed else 0

    @property
    def qmax(self) -> int:
        """Largest code."""
        return 2 ** (self.bits - 1) - 1 if self.signed else 2**self.bits - 1

    @property
    def levels(self) -> int:
        """Number of codes."""
        return self.qmax - self.qmin + 1
