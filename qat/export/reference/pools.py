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
    inside = np.ones_like(centred[:1, :1])
    if a["count_include_pad"]:  # the padding counts, what ceil_mode adds beyond it does not
        (ph, pw) = a["padding"]
        inside = np.pad(inside, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=1)
        apart = {**a, "padding": (0, 0)}
        counts = _pooled(inside, 0, apart, like=centred.shape, own=(ph, pw))
    else:
        counts = _pooled(inside, 0, a)
    ratio = np.float64(formats[0].scale) / np.float64(out.scale) / counts.sum(axis=(4, 5))
    return requantized(total, ratio, out, step)


def max_pool(step: Step, given: list[Integers], *_: Any) -> Integers:
    """Largest codes of windows."""
    lowest = int(np.iinfo(np.int64).min)
    return _pooled(given[0], lowest, step.attributes).max(axis=(4, 5))  # type: ignore[no-any-return]


def _pooled(
    x: Integers,
    fill: int,
    a: Mapping[str, Any],
    like: tuple[int, ...] | None = None,
    own: tuple[int, int] = (0, 0),
) -> Integers:
    """Windows of a pool; with ``ceil_mode`` the last one may reach beyond the padding."""
    shape = like or x.shape
    padding = a["padding"] if like is None else own
    pads = []
    for axis in (0, 1):
        size, p, s = shape[2 + axis], padding[axis], a["stride"][axis]
        reach = a.get("dilation", (1, 1))[axis] * (a["kernel"][axis] - 1) + 1
        span = size + 2 * p - reach
        count = -(-span // s) + 1 if a["ceil_mode"] else span // s + 1
        if a["ceil_mode"] and (count - 1) * s >= size + p:  # a window must begin inside
            count -= 1
        beyond = max((count - 1) * s + reach - (size + 2 * p), 0)
        pads.append((0, beyond) if like is not None else (p, p + beyond))
    padded = np.pad(x, ((0, 0), (0, 0), *pads), constant_values=fill)
    return windows(padded, a["kernel"], a)
