"""Terms that are added to the loss of a training step, such as dampening."""

import math
from collections.abc import Iterator
from typing import Protocol, TypeGuard

import torch
from torch import Tensor, nn

from qat.layers.walk import twins
from qat.quantizers.base import Quantizer


class Penalty(Protocol):
    """A term of the loss that depends on the network alone.

    Attributes:
        name: For the log, as ``train/NAME``.
    """

    name: str

    def __call__(self, net: nn.Module, step: int, steps: int) -> Tensor:
        """The term, a scalar with a gradient.

        Args:
            net: The quantized network.
            step: Optimizer step, from 0.
            steps: Optimizer steps of the whole training.
        """


def cosine(first: float, last: float, step: int, steps: int) -> float:
    """``last + (first - last) (1 + cos(pi step / (steps - 1))) / 2``.

    Args:
        first: Value at the first step.
        last: Value at the last step.
        step: Optimizer step, from 0.
        steps: Optimizer steps of the whole training.

    Example:
        >>> [round(cosine(0.0, 0.1, step, 3), 3) for step in range(3)]
        [0.0, 0.05, 0.1]
    """
    share = min(step / max(steps - 1, 1), 1.0)
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def rounded_weights(net: nn.Module) -> Iterator[tuple[str, Tensor, Quantizer]]:
    """Layer, weight (with batch norm folded in) and quantizer, of all weights with plain bins."""
    for name, twin in twins(net):
        quantizer = twin.weight_quantizer
        if has_plain_bins(quantizer):  # type: ignore[arg-type]
            yield name, twin.folded()[0], quantizer  # type: ignore[misc, operator]


def has_plain_bins(quantizer: nn.Module) -> TypeGuard[Quantizer]:
    """Whether values are rounded to the nearest level of a uniform grid.

    Then each level lies in the middle of the values that are rounded to it. This is not so with a
    codebook, with thresholds of the method's own (``qil``), or in a format that is no integer.

    Args:
        quantizer: Of a weight.
    """
    if not (isinstance(quantizer, Quantizer) and quantizer.is_rounding):
        return False
    if quantizer.spec.format != "int":  # the scales of blocks depend on the values
        return False
    return quantizer.codebook() is None and quantizer.thresholds() is None


def in_steps(weight: Tensor, quantizer: Quantizer) -> tuple[Tensor, Tensor]:
    """A weight divided by its scale, and its codes without zero point, both of its shape.

    Args:
        weight: Of a layer.
        quantizer: Of that weight, on a uniform grid.
    """
    qparams = quantizer.qparams()
    with torch.no_grad():
        scale = qparams.layout.beside(qparams.scale, weight)
        zero = qparams.layout.beside(qparams.zero_point, weight)
        codes = (quantizer.encode(weight) - zero).to(weight.dtype)
    return weight / scale, codes
