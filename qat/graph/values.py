"""One recorded run of a traced network: shapes of its tensors, and values computed from sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx

from qat.core.evaluation_mode import evaluating

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Values:
    """The values of one run.

    Attributes:
        shapes: Node of a tensor → its shape, batch axis included; node of several tensors (a
            split) → a tuple of their shapes.
        plain: Any other node → its value.
    """

    shapes: Mapping[fx.Node, Any] = field(default_factory=dict)
    plain: Mapping[fx.Node, Any] = field(default_factory=dict)

    def resolved(self, value: Any) -> Any:
        """Replace each node in an argument by the value that it computed, where that is known.

        Args:
            value: Any argument of an operation, also nested.
        """

        def number(part: Any) -> Any:
            return self.plain.get(part, part) if isinstance(part, fx.Node) else part

        return fx.node.map_aggregate(value, number)


@torch.no_grad()
def run_values(traced: fx.GraphModule, example: Tensor) -> Values:
    """Run a traced network in evaluation mode and record the value of each node.

    Args:
        traced: The network.
        example: Preprocessed images, ``(N, C, H, W)``. A single image is repeated, because a
            batch axis of size 1 could not be distinguished from other axes of size 1.

    Example:
        >>> traced = fx.symbolic_trace(lambda x: x.reshape(x.size(0), -1))
        >>> values = run_values(traced, torch.zeros(2, 3, 4, 4))
        >>> list(values.shapes.values()), list(values.plain.values())
        ([(2, 3, 4, 4), (2, 48), (2, 48)], [2])
    """
    reading = _Reading(traced)
    images = example if len(example) > 1 else example.repeat(2, 1, 1, 1)
    with evaluating(traced):
        reading.run(images)
    return Values(reading.shapes, reading.plain)


class _Reading(fx.Interpreter):
    """Runs a network and notes the shape or the plain value of each node."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.shapes: dict[fx.Node, Any] = {}
        self.plain: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Compute a node."""
        value = super().run_node(n)
        if isinstance(value, Tensor):
            self.shapes[n] = tuple(value.shape)
        elif _is_of_tensors(value):
            self.shapes[n] = tuple(tuple(part.shape) for part in value)
        elif n.op != "output":
            self.plain[n] = value
        return value


def _is_of_tensors(value: Any) -> bool:
    several = isinstance(value, tuple | list) and bool(value)
    return several and all(isinstance(part, Tensor) for part in value)
