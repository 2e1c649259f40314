"""What a traced network computed for an example: shapes of tensors, and the sizes read off them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx

from qat.core.evaluation_mode import evaluating

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Values:
    """Of one run.

    Attributes:
        shapes: Node of a tensor → its shape, batch included; of several tensors, theirs.
        plain: Node of anything else → its value.
    """

    shapes: Mapping[fx.Node, Any] = field(default_factory=dict)
    plain: Mapping[fx.Node, Any] = field(default_factory=dict)

    def resolved(self, value: Any) -> Any:
        """An argument in which numbers stand for the nodes that compute them."""

        def number(part: Any) -> Any:
            return self.plain.get(part, part) if isinstance(part, fx.Node) else part

        return fx.node.map_aggregate(value, number)


@torch.no_grad()
def run_values(traced: fx.GraphModule, example: Tensor) -> Values:
    """Run a traced network in evaluation mode and keep what its nodes gave, tensors as shapes.

    Args:
        traced: The network.
        example: Two images or more: of one, an axis of images looks like any axis of size 1.
    """
    shapes: dict[fx.Node, Any] = {}
    plain: dict[fx.Node, Any] = {}

    class ValuesInterpreter(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            value = super().run_node(n)
            if isinstance(value, Tensor):
                shapes[n] = tuple(value.shape)
            elif _is_of_tensors(value):
                shapes[n] = tuple(tuple(part.shape) for part in value)
            elif n.op != "output":
                plain[n] = value
            return value

    images = example if len(example) > 1 else example.repeat(2, 1, 1, 1)
    with evaluating(traced):
        ValuesInterpreter(traced).run(images)
    return Values(shapes, plain)


def _is_of_tensors(value: Any) -> bool:
    several = isinstance(value, tuple | list) and bool(value)
    return several and all(isinstance(part, Tensor) for part in value)
