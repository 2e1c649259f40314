"""Where the quantizers of an integer network are: one after every tensor that is stored.

A convolution, the batch norm after it and the ReLU after that are one operation of an integer
runtime (Jacob et al. 2018, arXiv:1712.05877, section 2.4), which stores one tensor. Reshapes and
max pools do not change codes, and a concatenation needs one scale for all its inputs: such tensors
share a quantizer.
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
        name: Name of the first operation of its chain.
        kind: Kind of that operation.
        node: The last node of the chain; the quantizer follows it.
        members: Names of the operations of the chain.
        rectifier: ``relu`` or ``relu6`` if the chain ends in one, else None.
    """

    name: str
    kind: str
    node: fx.Node
    members: tuple[str, ...]
    rectifier: str | None = None


@dataclass
class Placement:
    """The quantizers of an integer network.

    Attributes:
        operations: Node → operation, in execution order.
        points: Name → quantized tensor, in execution order.
        shares: Name of a point → name of the point whose quantizer it uses, which may be itself.
        sources: Node of a tensor → name of the point whose codes the tensor holds; for a node
            inside a chain, the point of that chain.
        norms: Layer name → name of the batch norm that is folded into the layer.
    """

    operations: Mapping[fx.Node, Operation]
    points: dict[str, QuantizerPoint] = field(default_factory=dict)
    shares: dict[str, str] = field(default_factory=dict)
    sources: dict[fx.Node, str] = field(default_factory=dict)
    norms: dict[str, str] = field(default_factory=dict)

    def leader(self, node: fx.Node) -> str:
        """Return the name of the point whose quantizer holds the scale of a node's tensor."""
        return self.shares[self.sources[node]]


def place(traced: fx.GraphModule) -> Placement:
    """Find the quantized tensors of a traced float network.

    Raises:
        UnsupportedOperationError: If an operation has no integer form; the message names its
            line.

    Example:
        >>> layers = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()
        >>> placement = place(fx.symbolic_trace(nn.Sequential(*layers)))
        >>> [point.members for point in placement.points.values()]
        [('input',), ('0', '1', '2')]
        >>> placement.norms
        {'0': '1'}
    """
    placement = Placement(operations(traced))
    for operation in placement.operations.values():
        if operation.node in placement.sources or operation.kind == "output":
            continue
        if operation.kind in (*PASSING, "concat"):
            placement.sources[operation.node] = placement.sources[operation.inputs[0]]
        else:
            _add(placement, operation)
    _check_norms(placement, traced)
    _share(placement)
    return placement


def _check_norms(placement: Placement, traced: fx.GraphModule) -> None:
    """Refuse a BatchNorm1d that is not folded.

    A BatchNorm2d that is not folded becomes a depthwise convolution.
    """
    for operation in placement.operations.values():
        if operation.kind == "norm" and operation.name in placement.points:
            module = traced.get_submodule(str(operation.node.target))
            if isinstance(module, nn.BatchNorm1d):
                raise UnsupportedOperationError(
                    f"the BatchNorm1d {operation.name!r} at {where(operation.node)} follows no "
                    "linear layer to be folded into: use scheme.placement=academic"
                )


def _add(placement: Placement, operation: Operation) -> None:
    chain = [operation]
    for kinds in (("norm",), RECTIFIERS):
        after = _only_user(placement, chain[-1])
        if after is not None and after.kind in kinds and _joins(placement, operation, after):
            chain.append(after)
    for member in chain[1:]:
        if member.kind == "norm":
            placement.norms[operation.name] = member.name
    last = chain[-1].kind if chain[-1].kind in RECTIFIERS else None
    members = tuple(member.name for member in chain)
    placement.points[operation.name] = QuantizerPoint(
        operation.name, operation.kind, chain[-1].node, members, last
    )
    for member in chain:
        placement.sources[member.node] = operation.name


def _joins(placement: Placement, first: Operation, after: Operation) -> bool:
    if after.kind != "norm":
        return first.kind in _RECTIFIED
    return first.kind in ("conv", "linear") and _always_meet(placement, first, after)


def _always_meet(placement: Placement, layer: Operation, norm: Operation) -> bool:
    """Return whether the same norm follows every call of the layer.

    A layer that is called twice has one weight, so one norm is folded into it.
    """
    calls, norms = (
        [o for o in placement.operations.values() if _calls(o, part.node.target)]
        for part in (layer, norm)
    )
    return [_only_user(placement, call) for call in calls] == norms


def _calls(operation: Operation, target: object) -> bool:
    return operation.node.op == "call_module" and operation.node.target == target


def _only_user(placement: Placement, operation: Operation) -> Operation | None:
    users = list(operation.node.users)
    return placement.operations.get(users[0]) if len(users) == 1 else None


def _share(placement: Placement) -> None:
    """Let points share a quantizer that a concatenation joins, or that one layer reads.

    The first point of each group, in execution order, has the quantizer.
    """
    leader = {name: name for name in placement.points}

    def root(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    order = list(placement.points)
    for nodes in _meetings(placement):
        roots = sorted({root(placement.sources[node]) for node in nodes}, key=order.index)
        for other in roots[1:]:
            leader[other] = roots[0]
    placement.shares = {name: root(name) for name in placement.points}


def _meetings(placement: Placement) -> Iterator[list[fx.Node]]:
    """Yield nodes whose tensors need one scale."""
    callers: dict[object, list[fx.Node]] = {}
    for operation in placement.operations.values():
        if operation.kind == "concat":
            yield list(operation.inputs)
        elif operation.kind in LAYERS:
            callers.setdefault(operation.node.target, []).append(operation.inputs[0])
    yield from callers.values()
