"""Averages and maxima over windows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from qat.export.program import Format, Step
from qat.export.reference.fixed_point import Integers, requantized
from qat.export.reference.windows import windows


def global_avg_pool(
    step: Step, given: list[Integers], formats: list[Format], out: Format
) -> Integers:
    """The mean of a whole plane."""
    total = (given[0] - formats[0].zero_point).sum(axis=(2, 3), keepdims=step.attributes["keepdim"])
    count = given[0].shape[2] * given[0].shape[3]
    ratio = np.float64(formats[0].scale) / np.float64(out.scale) / count
    return requantized(total, ratio, out, step)


def avg_pool(step: Step, given: list[Integers], formats: list[Format], out: Format) -> Integers:
    """Means of windows."""
    a = step.attributes
    centred = given[0] - formats[0].zero_point
    total = _pooled(centred, 0, a).sum(axis=(4, 5))
    counts = _pooled(np.ones_like(centred[:1, :1]), int(a["count_include_pad"]), a)
    ratio = np.float64(formats[0].scale) / np.float64(out.scale) / counts.sum(axis=(4, 5))
    return requantized(total, ratio, out, step)


def max_pool(step: Step, given: list[Integers], *_: Any) -> Integers:
    """Largest codes of windows."""
    lowest = int(np.iinfo(np.int64).min)
    return _pooled(given[0], lowest, step.attributes).max(axis=(4, 5))  # type: ignore[no-any-return]


def _pooled(x: Integers, fill: int, a: Mapping[str, Any]) -> Integers:
    padded = np.pad(x, ((0, 0), (0, 0), *a["padding"]), constant_values=fill)
    return windows(padded, a["kernel"], a)
