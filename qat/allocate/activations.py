"""Which tensors are alive when, and which layer's input decides their width.

A tensor is stored by the last of a chain of operations that a runtime computes as one (a layer,
its batch norm and ReLU; see :mod:`qat.graph.points`). Reshapes store nothing. It lives from the
operation that makes it to the last one that reads it, and has the width of the first layer that
reads it, through pools and reshapes too; one that no layer reads has that of the plan, in
placement ``academic`` 32 bits.
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
    """A tensor in memory: its elements for one image, first and last use."""

    name: str
    elements: int
    source: str
    first: int
    last: int


def activation_steps(
    net: nn.Module, plan: Plan, example: Tensor, ties: Mapping[str, str] | None = None
) -> list[LiveTensors]:
    """What is alive during each operation that stores a tensor.

    Args:
        net: The float network.
        plan: Widths of the tensors that no layer reads.
        example: A batch it accepts; figures are of one image.
        ties: Tensors that have one width (:func:`qat.sensitivity.groups.add_ties`), read or not.

    Raises:
        TraceError: If the network cannot be traced; its line is named.
        UnsupportedOperationError: If an operation is unknown; its line is named.
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
    """Tensors in the order they are made."""
    homes: dict[fx.Node, _Stored] = {}
    found: list[_Stored] = []
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
            found.append(homes[own])
    return found


def _continues(placement: Placement, operation: Operation) -> bool:
    """True for a batch norm or ReLU that is computed with the operation before it."""
    point = placement.points.get(placement.sources[operation.node])
    return point is not None and operation.name in point.members[1:]


def _deciders(placement: Placement, plan: Plan, roots: Mapping[str, str]) -> dict[str, str]:
    """The first of tensors that share a width → the first layer that reads one of them."""
    found: dict[str, str] = {}
    for operation in placement.operations.values():
        layer = str(operation.node.target)
        if operation.kind in LAYERS and layer in plan.layers:
            found.setdefault(roots[placement.leader(operation.inputs[0])], layer)
    return found


def _planned(plan: Plan, name: str) -> int:
    tensor = plan.tensors.get(name)
    return tensor.spec.stored_bits if tensor else FLOAT_BITS


@torch.no_grad()
def _elements(traced: fx.GraphModule, example: Tensor) -> dict[fx.Node, int]:
    found: dict[fx.Node, int] = {}

    class Sizes(fx.Interpreter):
        def run_node(self, n: fx.Node) -> object:
            value = super().run_node(n)
            if isinstance(value, Tensor):
                found[n] = prod(value.shape[1:])
            return value

    with evaluating(traced):
        Sizes(traced).run(example[:1])
    return found
