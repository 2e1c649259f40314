"""Rank layers by sensitivity, and give the most bits to those above a percentile.

Layers above the p-th percentile take the largest width. The others map linearly to the options:
with the least sensitive at 0 and the percentile at 1, a layer at t takes the option of index
``floor(t * (options - 1))``, so that only a layer at the percentile (t = 1) takes the largest too.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from qat.base.errors import InputError
from qat.sensitivity.widths import check_widths

LayerKey = TypeVar("LayerKey", bound=Hashable)


def threshold(
    scores: Mapping[LayerKey, float],
    options: Sequence[int],
    percentile: float,
    default_bits: int,
    keys: Iterable[LayerKey] | None = None,
) -> dict[LayerKey, int]:
    """Widths by the percentile of sensitivity.

    A sensitivity below zero counts as zero, since an improvement by rounding is noise. If all
    scores are equal they give no order, and all layers take ``default_bits``.

    Args:
        scores: Layer (or slot) → sensitivity, higher is worse.
        options: Candidate widths.
        percentile: 0 to 100; a layer above it takes the largest width.
        default_bits: Width of a layer without a score.
        keys: All layers (or slots) that need a width; those with a score if None.

    Raises:
        ValueError: If there is no option, the percentile is not 0 to 100, or a score is NaN.

    Example:
        >>> threshold({"a": 0.0, "b": 1.0, "c": 4.0}, [2, 4, 8], percentile=50, default_bits=8)
        {'a': 2, 'b': 8, 'c': 8}
    """
    widths = check_widths(options)
    if not 0 <= percentile <= 100:
        raise InputError(f"percentile must be 0 to 100, got {percentile}; give one such as 75")
    for key, score in scores.items():
        if math.isnan(score):
            raise InputError(f"the score of {key} is NaN: compute it again")
    wanted = list(scores if keys is None else keys)
    known = {key: max(scores[key], 0.0) for key in wanted if key in scores}
    if len(set(known.values())) < 2:
        return dict.fromkeys(wanted, default_bits)
    least, line = _line(list(known.values()), percentile)

    def width(key: LayerKey) -> int:
        if key not in known:
            return default_bits
        if known[key] > line:
            return widths[-1]
        share = (known[key] - least) / (line - least) if line > least else 0.0
        return widths[math.floor(share * (len(widths) - 1))]

    return {key: width(key) for key in wanted}


def _line(values: Sequence[float], percentile: float) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 0.0
    return min(finite), float(np.percentile(finite, percentile))
