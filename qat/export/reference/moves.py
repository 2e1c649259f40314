"""Operations that only move codes."""

from typing import Any

import numpy as np

from qat.export.program import Format, Step
from qat.export.reference.fixed_point import Integers


def concat(step: Step, given: list[Integers], *_: Any) -> Integers:
    """One tensor behind another."""
    return np.concatenate(given, axis=step.attributes["axis"])


def reshape(step: Step, given: list[Integers], *_: Any) -> Integers:
    """The same codes in another shape."""
    return given[0].reshape(len(given[0]), *step.attributes["shape"])


def permute(step: Step, given: list[Integers], *_: Any) -> Integers:
    """Axes in another order."""
    return given[0].transpose(step.attributes["dims"])


def cut(step: Step, given: list[Integers], *_: Any) -> Integers:
    """A part."""
    return given[0][(slice(None), *(slice(*r) for r in step.attributes["ranges"]))]


def resize(step: Step, given: list[Integers], *_: Any) -> Integers:
    """Rows and columns, some more than once."""
    a = step.attributes
    return given[0][:, :, list(a["rows"])][:, :, :, list(a["columns"])]


def pad(step: Step, given: list[Integers], formats: list[Format], _: Format) -> Integers:
    """Zeros around: the code of zero."""
    return np.pad(given[0], step.attributes["widths"], constant_values=formats[0].zero_point)
