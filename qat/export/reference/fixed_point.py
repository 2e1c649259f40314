"""Real multipliers as integers: a 31-bit mantissa and a right shift.

Jacob et al. 2018, arXiv:1712.05877, Eq. 5 and 6. Difference: the paper rounds twice; here a single
64-bit product is rounded once, with ties away from zero.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qat.export.program import Format, Step

FRACTION_BITS = 31
LARGEST_SHIFT = 62
Integers = NDArray[np.int64]


def multiplier(real: Any) -> tuple[Integers, Integers]:
    """Mantissa and shift of positive numbers: ``real ~ M0 * 2^-shift``, ``2^30 <= M0 < 2^31``.

    Example:
        >>> m0, shift = multiplier(0.75)
        >>> int(m0), int(shift), int(m0) / 2 ** int(shift)
        (1610612736, 31, 0.75)
    """
    mantissa, exponent = np.frexp(np.asarray(real, np.float64))
    m0 = np.round(mantissa * 2.0**FRACTION_BITS).astype(np.int64)
    over = m0 == 2**FRACTION_BITS
    m0 = np.where(over, m0 // 2, m0)
    return m0, FRACTION_BITS - (exponent.astype(np.int64) + over)


def rescale(accumulator: Integers, m0: Integers, shift: Integers) -> Integers:
    """``round(accumulator * M0 / 2^shift)`` in 64-bit integers, with ties away from zero.

    Args:
        accumulator: Sums of 32 bits at most; for shifts above 62 the result is 0.
        m0: Mantissa, from :func:`multiplier`.
        shift: Right shift, from :func:`multiplier`.

    Example:
        >>> rescale(np.array([2, 3, -3]), *multiplier(0.5)).tolist()
        [1, 2, -2]
    """
    product = np.where(shift > LARGEST_SHIFT, 0, accumulator * m0)
    shift = np.clip(shift, 1, LARGEST_SHIFT)
    half = np.int64(1) << (shift - 1)
    return np.where(product >= 0, (product + half) >> shift, -((-product + half) >> shift))


def requantized(total: Integers, ratio: Any, form: Format, step: Step) -> Integers:
    """Codes of the output for a sum of products.

    Args:
        total: Sum without its scale.
        ratio: Scale of the sum divided by the scale of the output.
        form: Format of the output.
        step: Operation, for its bounds.
    """
    return bounded(rescale(total, *multiplier(ratio)) + form.zero_point, step)


def bounded(codes: Integers, step: Step) -> Integers:
    """Codes clipped to the bounds of a step.

    Args:
        codes: Codes of the output.
        step: Operation with its bounds ``low`` and ``high``.
    """
    return np.clip(codes, step.low, step.high)


def channels(values: Any, ndim: int) -> Any:
    """Values of the channels in a shape that can be broadcast: ``(1, channels, 1, ...)``.

    Args:
        values: One value, or one for each channel.
        ndim: Number of axes of the tensor.

    Example:
        >>> channels([1, 2, 3], ndim=4).shape
        (1, 3, 1, 1)
    """
    return np.asarray(values).reshape(1, -1, *[1] * (ndim - 2))
