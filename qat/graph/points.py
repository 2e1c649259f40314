"""Where the quantizers of an integer network stand: one behind every tensor that is stored.

A convolution, the batch norm behind it and the ReLU behind that are one operation of an integer
runtime (Jacob et al. 2018, arXiv:1712.05877, section 3.2), with one tensor behind it. Reshapes and
max pools pass codes through, a concatenation needs its inputs in one scale: such tensors share a
quantizer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from torch import fx, nn

from qat.graph.operations import (
    LAYERS,
    PASSING,
    Operation,
    UnsupportedOperationError,
    operations,
)
from qat.graph.trace import where

RECTIFIERS = ("relu", "relu6")
_RECTIFIED = (*LAYERS, "add", "mul")


@dataclass
class QuantizerPoint:
    """A quantized tensor.

    Attributes:
        name: Of the first operation of its chain.
        kind: That operation's.
        node: The last node of the chain; the quantizer stands behind it.
        members: Names of the operations of the chain.
        rectifier: ``relu`` or ``relu6`` if the chain ends in one.
    """

    name: str
    kind: str
    node: fx.Node
    members: tuple[str, ...]
    rectifier: str | None = None


@dataclass
class Placement:
    """An integer network's quantizers.

    Attributes:
        operations: Of all tensors, in execution order.
        points: Name → quantized tensor, in execution order.
        shares: Name of a point → the point whose quantizer it uses; itself where it has its own.
        sources: Every node of a tensor → name of the point whose codes it holds; of a node inside
            a chain, the chain's own.
        norms: Layer name → name of the batch norm that is folded into it.
    """

    operations: Mapping[fx.Node, Operation]
    points: dict[str, QuantizerPoint] = field(default_factory=dict)
    shares: dict[str, str] = field(default_factory=dict)
    sources: dict[fx.Node, str] = field(default_factory=dict)
    norms: dict[str, str] = field(default_factory=dict)

    def leader(self, node: fx.Node) -> str:
        """Name of the point whose quantizer holds the scale of a node's tensor."""
        return self.shares[self.sources[node]]


def place(traced: fx.GraphModule) -> Placement:
    """Find the quantized tensors of a float network, traced.

    Raises:
        UnsupportedOperationError: If an operation has no integer form; its line is named.
    """
    found = Placement(operations(traced))
    for operation in found.operations.values():
        if operation.node in found.sources or operation.kind == "output":
            continue
        if operation.kind in (*PASSING, "concat"):
            found.sources[operation.node] = found.sources[operation.inputs[0]]
        else:
            _add(found, operation)
    _check_norms(found, traced)
    _share(found)
    return found


def _check_norms(found: Placement, traced: fx.GraphModule) -> None:
    """One that stands alone becomes a depthwise convolution, which a 1-d one cannot."""
    for operation in found.operations.values():
        if operation.kind == "norm" and operation.name in found.points:
            module = traced.get_submodule(str(operation.node.target))
            if isinstance(module, nn.BatchNorm1d):
                raise UnsupportedOperationError(
                    f"the BatchNorm1d {operation.name!r} at {where(operation.node)} follows no "
                    "linear layer to be folded into: use scheme.placement=academic"
                )


def _add(found: Placement, operation: Operation) -> None:
    chain = [operation]
    for kinds in (("norm",), RECTIFIERS):
        after = _only_user(found, chain[-1])
        if after is not None and after.kind in kinds and _joins(found, operation, after):
            chain.append(after)
    for member in chain[1:]:
        if member.kind == "norm":
            found.norms[operation.name] = member.name
    last = chain[-1].kind if chain[-1].kind in RECTIFIERS else None
    members = tuple(member.name for member in chain)
    found.points[operation.name] = QuantizerPoint(
        operation.name, operation.kind, chain[-1].node, members, last
    )
    for member in chain:
        found.sources[member.node] = operation.name


def _joins(found: Placement, first: Operation, after: Operation) -> bool:
    if after.kind != "norm":
        return first.kind in _RECTIFIED
    return first.kind in ("conv", "linear") and _always_meet(found, first, after)


def _always_meet(found: Placement, layer: Operation, norm: Operation) -> bool:
    """A layer that is called twice has one weight: the same norm must follow each time."""
    calls, norms = (
        [o for o in found.operations.values() if _calls(o, part.node.target)]
        for part in (layer, norm)
    )
    return [_only_user(found, call) for call in calls] == norms


def _calls(operation: Operation, target: object) -> bool:
    return operation.node.op == "call_module" and operation.node.target == target


def _only_user(found: Placement, operation: Operation) -> Operation | None:
    users = list(operation.node.users)
    return found.operations.get(users[0]) if len(users) == 1 else None


def _share(found: Placement) -> None:
    """Points that meet in a concatenation, or before a layer that is called twice, are one."""
    leader = {name: name for name in found.points}

    def root(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    order = list(found.points)
    for nodes in _meetings(found):
        roots = sorted({root(found.sources[node]) for node in nodes}, key=order.index)
        for other in roots[1:]:
            leader[other] = roots[0]
    found.shares = {name: root(name) for name in found.points}


def _meetings(found: Placement) -> Iterator[list[fx.Node]]:
    callers: dict[object, list[fx.Node]] = {}
    for operation in found.operations.values():
        if operation.kind == "concat":
            yield list(operation.inputs)
        elif operation.kind in LAYERS:
            callers.setdefault(operation.node.target, []).append(operation.inputs[0])
    yield from callers.values()
