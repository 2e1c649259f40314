"""Elementwise operations: rescaling, sums and products of two tensors, functions as tables.

Difference from Jacob et al. 2018, arXiv:1712.05877, appendix A.2: sums keep 20 fractional bits.
"""

from collections.abc import Callable, Mapping
from math import erf
from typing import Any

import numpy as np

from qat.export.program import Format, Step
from qat.export.reference.fixed_point import Integers, bounded, multiplier, requantized, rescale

SUM_BITS = 20


def requantize(step: Step, inputs: list[Integers], formats: list[Format], out: Format) -> Integers:
    """The same values in another format.

    Args:
        step: Operation with its bounds.
        inputs: Codes of the input.
        formats: Format of the input.
        out: Format of the output.
    """
    ratio = np.float64(formats[0].scale) / np.float64(out.scale)
    return requantized(inputs[0] - formats[0].zero_point, ratio, out, step)


def add(step: Step, inputs: list[Integers], formats: list[Format], out: Format) -> Integers:
    """The sum of two tensors; the second one is multiplied by ``alpha``.

    Args:
        step: Operation with its bounds and ``alpha``.
        inputs: Codes of both tensors.
        formats: Formats of both tensors.
        out: Format of the output.
    """
    factors = (1.0, float(step.attributes.get("alpha", 1.0)))
    total = sum(
        rescale(
            (codes - form.zero_point) << SUM_BITS,
            *multiplier(factor * np.float64(form.scale) / np.float64(out.scale)),
        )
        for codes, form, factor in zip(inputs, formats, factors, strict=True)
    )
    half = 1 << (SUM_BITS - 1)
    rounded = np.where(total >= 0, (total + half) >> SUM_BITS, -((-total + half) >> SUM_BITS))
    return bounded(rounded + out.zero_point, step)


def mul(step: Step, inputs: list[Integers], formats: list[Format], out: Format) -> Integers:
    """The product of two tensors, value by value.

    Args:
        step: Operation with its bounds.
        inputs: Codes of both tensors.
        formats: Formats of both tensors.
        out: Format of the output.
    """
    a, b = (codes - form.zero_point for codes, form in zip(inputs, formats, strict=True))
    ratio = np.float64(formats[0].scale) * np.float64(formats[1].scale) / np.float64(out.scale)
    return requantized(a * b, ratio, out, step)


def table(step: Step, inputs: list[Integers], formats: list[Format], out: Format) -> Integers:
    """A function of one value, by a table with an entry for each of the 256 codes.

    Args:
        step: Operation with its bounds; its kind is a key of :data:`FUNCTIONS`.
        inputs: Codes of the input.
        formats: Format of the input.
        out: Format of the output.
    """
    values = formats[0].decode(np.arange(256)).astype(np.float64)
    results = FUNCTIONS[step.kind](values, step.attributes)
    entries = np.round(results / np.float64(out.scale)) + out.zero_point
    return bounded(entries.astype(np.int64), step)[inputs[0]]  # type: ignore[no-any-return]


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _gelu(x: Any, a: Mapping[str, Any]) -> Any:
    if a["approximate"] == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + np.vectorize(erf)(x / np.sqrt(2)))


FUNCTIONS: Mapping[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "relu": lambda x, a: np.maximum(x, 0),
    "relu6": lambda x, a: np.clip(x, 0, 6),
    "sigmoid": lambda x, a: _sigmoid(x),
    "silu": lambda x, a: x * _sigmoid(x),
    "hardsigmoid": lambda x, a: np.clip(x / 6 + 0.5, 0, 1),
    "hardswish": lambda x, a: x * np.clip(x / 6 + 0.5, 0, 1),
    "tanh": lambda x, a: np.tanh(x),
    "gelu": _gelu,
    "leaky_relu": lambda x, a: np.where(x >= 0, x, x * a["negative_slope"]),
    "elu": lambda x, a: np.where(x >= 0, x, a["alpha"] * np.expm1(x)),
}
