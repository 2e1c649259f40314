"""Operations that move codes and compute nothing."""

from typing import Any

import numpy as np

from qat.export.program import Format, Step
from qat.export.reference.fixed_point import Integers


def concat(step: Step, inputs: list[Integers], *_: Any) -> Integers:
    """Tensors joined along an axis.

    Args:
        step: Operation with ``axis``.
        inputs: Codes of the tensors, which have one format.
    """
    return np.concatenate(inputs, axis=step.attributes["axis"])


def reshape(step: Step, inputs: list[Integers], *_: Any) -> Integers:
    """The same codes in another shape.

    Args:
        step: Operation with ``shape``, without the batch axis.
        inputs: Codes of the input.
    """
    return inputs[0].reshape(len(inputs[0]), *step.attributes["shape"])


def permute(step: Step, inputs: list[Integers], *_: Any) -> Integers:
    """The same codes with axes in another order.

    Args:
        step: Operation with ``dims``, the new order of all axes.
        inputs: Codes of the input.
    """
    return inputs[0].transpose(step.attributes["dims"])


def cut(step: Step, inputs: list[Integers], *_: Any) -> Integers:
    """A slice of each image.

    Args:
        step: Operation with ``ranges``: start, end and step for each axis except the batch.
        inputs: Codes of the input.
    """
    return inputs[0][(slice(None), *(slice(*r) for r in step.attributes["ranges"]))]


def resize(step: Step, inputs: list[Integers], *_: Any) -> Integers:
    """Selected rows and columns, which can be repeated.

    Args:
        step: Operation with the indices ``rows`` and ``columns``.
        inputs: Codes of the input.
    """
    a = step.attributes
    return inputs[0][:, :, list(a["rows"])][:, :, :, list(a["columns"])]


def pad(step: Step, inputs: list[Integers], formats: list[Format], _: Format) -> Integers:
    """Zero padding, which writes the code of zero.

    Args:
        step: Operation with ``widths``: before and after, for every axis.
        inputs: Codes of the input.
        formats: Format of the input.
    """
    return np.pad(inputs[0], step.attributes["widths"], constant_values=formats[0].zero_point)
