"""Slots that must take the same width.

A tensor that is stored once has one width for all layers that read it: for example an activation
that feeds two convolutions in placement ``integer``. Some runtimes add only tensors of equal width;
for them, both sides of an addition can be grouped too.
"""

from torch import nn

from qat.core.plan import Plan
from qat.graph.operations import LAYERS
from qat.graph.points import Placement, place
from qat.graph.trace import trace
from qat.sensitivity.widths import Slot, slots_of


def sharing_groups(
    net: nn.Module, plan: Plan, *, inputs: bool | None = None, adds: bool = False
) -> list[tuple[Slot, ...]]:
    """Groups of slots of a plan that share a tensor; only groups of two slots or more.

    Args:
        net: The float network.
        plan: Its slots are grouped.
        inputs: Group the layers that read the same tensor. None groups them in placement
            ``integer``, where the tensor is stored once.
        adds: Group the layers that read the two sides of an addition.

    Raises:
        TraceError: If there is something to group and the network cannot be traced; the message
            names its line.
        UnsupportedOperationError: If there is something to group and an operation is unknown.
    """
    together = plan.placement == "integer" if inputs is None else inputs
    if not (together or adds):
        return []
    groups = _shared_inputs(place(trace(net)), slots_of(plan), together=together, adds=adds)
    return [group for group in groups if len(group) > 1]


def tensors_read(net: nn.Module) -> dict[str, str]:
    """Layer → name of the stored tensor that it reads, in placement ``integer``.

    Raises:
        TraceError: If the network cannot be traced; the message names its line.

    Example:
        >>> tensors_read(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)))
        {'0': 'input', '2': '0'}
    """
    return _readers(place(trace(net)))


def add_ties(net: nn.Module) -> dict[str, str]:
    """Stored tensor → the first of the tensors whose width it takes, if all additions are tied.

    Both sides of an addition have one width; so have all tensors that a chain of additions
    connects. Tensors that share their width with no other are left out.

    Raises:
        TraceError: If the network cannot be traced; the message names its line.
    """
    return _ties(place(trace(net)))


def _readers(placement: Placement) -> dict[str, str]:
    tensors: dict[str, str] = {}
    for operation in placement.operations.values():
        if operation.kind in LAYERS and operation.name not in placement.norms.values():
            tensors.setdefault(str(operation.node.target), placement.leader(operation.inputs[0]))
    return tensors


def _ties(placement: Placement) -> dict[str, str]:
    order = list(placement.points)
    root = {name: name for name in order}
    for operation in placement.operations.values():
        if operation.kind == "add":
            sides = {root[placement.leader(node)] for node in operation.inputs}
            first = min(sides, key=order.index)
            root = {name: first if own in sides else own for name, own in root.items()}
    tied = {own for name, own in root.items() if name != own}
    return {name: own for name, own in root.items() if own in tied}


def _shared_inputs(
    placement: Placement, slots: list[Slot], *, together: bool, adds: bool
) -> list[tuple[Slot, ...]]:
    ties = _ties(placement) if adds else {}
    tensors: dict[str, list[Slot]] = {}
    tied: dict[str, list[Slot]] = {}
    for layer, tensor in _readers(placement).items():
        if (layer, "act") in slots:
            tensors.setdefault(tensor, []).append((layer, "act"))
            if tensor in ties:
                tied.setdefault(ties[tensor], []).append((layer, "act"))
    groups = [*(tensors.values() if together else ()), *tied.values()]
    return list(dict.fromkeys(tuple(group) for group in groups))
