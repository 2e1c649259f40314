"""Lifetimes of activations, and the layer whose input decides the width of each.

A runtime computes a layer, its batch norm and its ReLU as one operation (see
:mod:`qat.graph.points`), and the last of such a chain stores a tensor. Reshapes store nothing. A
tensor lives from the operation that computes it to the last one that reads it. Its width is that of
the first layer that reads it, directly or through pools and reshapes. A tensor that no layer reads
has the width that the plan gives it; in placement ``academic`` that is 32 bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, fx, nn

from qat.allocate.costs import LiveTensors
from qat.core.evaluation_mode import evaluating
from qat.core.plan import Plan
from qat.graph.operations import LAYERS, Operation
from qat.graph.points import Placement, place
from qat.graph.trace import trace
from qat.sensitivity.widths import FLOAT_BITS

_VIEWS = ("flatten", "reshape", "split", "identity")


@dataclass
class _Stored:
    """A tensor in memory: its elements for one image, and its first and last use."""

    name: str
    elements: int
    source: str
    first: int
    last: int


def activation_steps(
    net: nn.Module, plan: Plan, example: Tensor, ties: Mapping[str, str] | None = None
) -> list[LiveTensors]:
    """The tensors that are alive during each operation that stores a tensor.

    Args:
        net: The float network.
        plan: Widths of the tensors that no layer reads.
        example: A batch that the network accepts; elements are counted for one image.
        ties: Tensor → the tensor whose width it takes (:func:`qat.sensitivity.groups.add_ties`).

    Raises:
        TraceError: If the network cannot be traced; the message names its line.
        UnsupportedOperationError: If an operation is unknown; the message names its line.

    Example:
        >>> from qat.convert.rules import make_plan
        >>> from qat.core.scheme import Scheme
        >>> net, example = nn.Sequential(nn.Linear(2, 3)), torch.ones(1, 2)
        >>> for step in activation_steps(net, make_plan(net, Scheme(), example), example):
        ...     print(step)
        LiveTensors(name='input', fixed_bits=0, elements={'0': 2})
        LiveTensors(name='0', fixed_bits=96, elements={'0': 2})
    """
    traced = trace(net)
    placement = place(traced)
    tensors = _stored(placement, _elements(traced, example))
    roots = {name: (ties or {}).get(name, name) for name in placement.points}
    deciders = _deciders(placement, plan, roots)
    steps = []
    for now in tensors:
        fixed, elements = 0, dict[str, int]()
        for other in tensors:
            if not other.first <= now.first <= other.last:
                continue
            layer = deciders.get(roots[other.source])
            if layer is None:
                fixed += other.elements * _planned(plan, other.source)
            else:
                elements[layer] = elements.get(layer, 0) + other.elements
        steps.append(LiveTensors(now.name, fixed, elements))
    return steps


def _stored(placement: Placement, sizes: Mapping[fx.Node, int]) -> list[_Stored]:
    """Tensors in the order in which they are computed."""
    homes: dict[fx.Node, _Stored] = {}
    tensors: list[_Stored] = []
    for index, operation in enumerate(placement.operations.values()):
        for node in operation.inputs:
            homes[node].last = index
        if operation.kind == "output":
            continue
        own = operation.node
        if operation.kind in _VIEWS:
            homes[own] = homes[operation.inputs[0]]
        elif _continues(placement, operation) and operation.inputs[0] in homes:
            homes[own] = homes[operation.inputs[0]]  # the chain's tensor, written once
            homes[own].elements = sizes[own]
        else:
            homes[own] = _Stored(
                operation.name, sizes[own], placement.leader(own), first=index, last=index
            )
            tensors.append(homes[own])
    return tensors


def _continues(placement: Placement, operation: Operation) -> bool:
    """True for a batch norm or ReLU that is computed with the operation before it."""
    point = placement.points.get(placement.sources[operation.node])
    return point is not None and operation.name in point.members[1:]


def _deciders(placement: Placement, plan: Plan, roots: Mapping[str, str]) -> dict[str, str]:
    """The first of tensors that share a width → the first layer that reads one of them."""
    deciders: dict[str, str] = {}
    for operation in placement.operations.values():
        layer = str(operation.node.target)
        if operation.kind in LAYERS and layer in plan.layers:
            deciders.setdefault(roots[placement.leader(operation.inputs[0])], layer)
    return deciders


def _planned(plan: Plan, name: str) -> int:
    tensor = plan.tensors.get(name)
    return tensor.spec.stored_bits if tensor else FLOAT_BITS


@torch.no_grad()
def _elements(traced: fx.GraphModule, example: Tensor) -> dict[fx.Node, int]:
    sizes = _Sizes(traced)
    with evaluating(traced):
        sizes.run(example[:1])
    return sizes.elements


class _Sizes(fx.Interpreter):
    """Runs a network and notes the number of elements of each tensor, for one image."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.elements: dict[fx.Node, int] = {}

    def run_node(self, n: fx.Node) -> object:
        """Compute a node."""
        value = super().run_node(n)
        if isinstance(value, Tensor):
            self.elements[n] = prod(value.shape[1:])
        return value
