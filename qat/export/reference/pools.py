"""Averages and maxima over windows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from qat.export.program import Format, Step
from qat.export.reference.fixed_point import Integers, requantized
from qat.export.reference.windows import windows


def global_avg_pool(
    step: Step, inputs: list[Integers], formats: list[Format], out: Format
) -> Integers:
    """The mean over height and width.

    Args:
        step: Operation with ``keepdim`` and bounds.
        inputs: Codes of the input.
        formats: Format of the input.
        out: Format of the output.
    """
    codes, keepdims = inputs[0], step.attributes["keepdim"]
    total = (codes - formats[0].zero_point).sum(axis=(2, 3), keepdims=keepdims)
    count = codes.shape[2] * codes.shape[3]
    ratio = np.float64(formats[0].scale) / np.float64(out.scale) / count
    return requantized(total, ratio, out, step)


def avg_pool(step: Step, inputs: list[Integers], formats: list[Format], out: Format) -> Integers:
    """Means over windows.

    Args:
        step: Operation with the attributes of the window and bounds.
        inputs: Codes of the input.
        formats: Format of the input.
        out: Format of the output.
    """
    a = step.attributes
    centred = inputs[0] - formats[0].zero_point
    total = _pooled(centred, 0, a).sum(axis=(4, 5))
    counts = _pooled(np.ones_like(centred[:1, :1]), int(a["count_include_pad"]), a)
    ratio = np.float64(formats[0].scale) / np.float64(out.scale) / counts.sum(axis=(4, 5))
    return requantized(total, ratio, out, step)


def max_pool(step: Step, inputs: list[Integers], *_: Any) -> Integers:
    """Largest codes of windows.

    Args:
        step: Operation with the attributes of the window.
        inputs: Codes of the input.
    """
    lowest = int(np.iinfo(np.int64).min)
    return _pooled(inputs[0], lowest, step.attributes).max(axis=(4, 5))  # type: ignore[no-any-return]


def _pooled(x: Integers, fill: int, a: Mapping[str, Any]) -> Integers:
    padded = np.pad(x, ((0, 0), (0, 0), *a["padding"]), constant_values=fill)
    return windows(padded, a["kernel"], a)
