"""Convolutions and matrix products: sums of products of integers.

Jacob et al. 2018, arXiv:1712.05877, Eq. 7 and 11: ``sum((q_x - z_x) (q_w - z_w)) + q_bias``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from qat.export.program import Format, Step
from qat.export.reference.fixed_point import Integers, channels, requantized
from qat.export.reference.windows import windows


def layer(step: Step, inputs: list[Integers], formats: list[Format], out: Format) -> Integers:
    """Output codes of a convolution or a linear layer.

    Args:
        step: Operation with weight, bias and bounds.
        inputs: Codes of the input.
        formats: Format of the input.
        out: Format of the output.
    """
    assert step.weight is not None
    total = accumulate(step, inputs[0], formats[0])
    # s_x * s_w is a float32, like both scales, because runtimes compute it in float32.
    scales = (formats[0].scale * step.weight.scale).astype(np.float64) / np.float64(out.scale)
    return requantized(total, channels(scales, total.ndim), out, step)


def accumulate(step: Step, codes: Integers, form: Format) -> Integers:
    """The sums of products with bias, before they are rescaled.

    Args:
        step: Operation with weight and bias.
        codes: Codes of the input.
        form: Format of the input.
    """
    assert step.weight is not None
    weight = step.weight
    ones = [1] * (weight.codes.ndim - 1)
    kernel = weight.codes.astype(np.int64) - weight.zero_point.reshape(-1, *ones)
    centred = codes.astype(np.int64) - form.zero_point
    if step.kind == "linear":
        total = _matmul(centred, kernel.T)
    else:
        total = _convolve(centred, kernel, step.attributes)
    if step.bias is not None:
        total = total + channels(step.bias.astype(np.int64), total.ndim)
    return total


def _convolve(x: Integers, kernel: Integers, a: Mapping[str, Any]) -> Integers:
    x = np.pad(x, ((0, 0), (0, 0), *a["padding"]))
    out, per_group = kernel.shape[:2]
    groups = a["groups"]
    parts = []
    for g in range(groups):
        window = windows(x[:, g * per_group : (g + 1) * per_group], kernel.shape[2:], a)
        flat = window.transpose(0, 2, 3, 1, 4, 5).reshape(*_space(window), -1)
        own = kernel[g * out // groups : (g + 1) * out // groups]
        parts.append(_matmul(flat, own.reshape(len(own), -1).T))
    return np.concatenate(parts, axis=-1).transpose(0, 3, 1, 2)


def _space(window: Integers) -> tuple[int, int, int]:
    return window.shape[0], window.shape[2], window.shape[3]


def _matmul(a: Integers, b: Integers) -> Integers:
    """Integer matrix product, computed in float64, which is exact for sums below 2^53."""
    return np.rint(a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
