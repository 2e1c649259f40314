"""Real multipliers as integers: a 31-bit mantissa and a right shift.

Jacob et al. 2018, arXiv:1712.05877, Eq. 5 and 6. Departure: ties are rounded away from zero, after
one 64-bit product instead of twice.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qat.export.program import Format, Step

FRACTION_BITS = 31
LARGEST_SHIFT = 62
Integers = NDArray[np.int64]


def multiplier(real: Any) -> tuple[Integers, Integers]:
    """``real ~ M0 * 2^-shift`` with ``2^30 <= M0 < 2^31``; element by element, positive."""
    mantissa, exponent = np.frexp(np.asarray(real, np.float64))
    m0 = np.round(mantissa * 2.0**FRACTION_BITS).astype(np.int64)
    over = m0 == 2**FRACTION_BITS
    m0 = np.where(over, m0 // 2, m0)
    return m0, FRACTION_BITS - (exponent.astype(np.int64) + over)


def rescale(accumulator: Integers, m0: Integers, shift: Integers) -> Integers:
    """``round(accumulator * M0 / 2^shift)``, ties away from zero, in 64-bit integers.

    For accumulators of 32 bits: shifts above 62 leave nothing of them.
    """
    product = np.where(shift > LARGEST_SHIFT, 0, accumulator * m0)
    shift = np.clip(shift, 1, LARGEST_SHIFT)
    half = np.int64(1) << (shift - 1)
    return np.where(product >= 0, (product + half) >> shift, -((-product + half) >> shift))


def requantized(total: Integers, ratio: Any, form: Format, step: Step) -> Integers:
    """Codes of a sum whose unit is ``ratio`` steps of the output."""
    return bounded(rescale(total, *multiplier(ratio)) + form.zero_point, step)


def bounded(codes: Integers, step: Step) -> Integers:
    """Saturate at the bounds of a step."""
    return np.clip(codes, step.low, step.high)


def channels(values: Any, ndim: int) -> Any:
    """One value for each channel, beside a tensor of that rank."""
    return np.asarray(values).reshape(1, -1, *[1] * (ndim - 2))
