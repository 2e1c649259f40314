"""Slots that must take one width.

A tensor that is stored once has one width for all layers that read it: an activation that feeds
two convolutions in placement ``integer``. Runtimes whose addition wants both sides in one width get
that too, if asked.
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
    """Groups of slots of a plan that share a tensor; only those of two slots or more.

    Args:
        net: The float network.
        plan: Its slots are grouped.
        inputs: Layers that read one tensor round it alike. None: where the placement is
            ``integer``, since the tensor is stored once there.
        adds: Both sides of an addition in one width, as far as layers read them.

    Raises:
        TraceError: If inputs or adds matter and the network cannot be traced; its line is named.
        UnsupportedOperationError: If they do, and an operation is unknown.
    """
    together = plan.placement == "integer" if inputs is None else inputs
    if not (together or adds):
        return []
    groups = _shared_inputs(place(trace(net)), slots_of(plan), together=together, adds=adds)
    return [group for group in groups if len(group) > 1]


def tensors_read(net: nn.Module) -> dict[str, str]:
    """Layer → name of the stored tensor that it reads, in placement ``integer``.

    Raises:
        TraceError: If the network cannot be traced; its line is named.
    """
    return _readers(place(trace(net)))


def add_ties(net: nn.Module) -> dict[str, str]:
    """Stored tensor → the first of those that have its width, where both sides of additions do.

    Tensors that stand alone are left out.

    Raises:
        TraceError: If the network cannot be traced; its line is named.
    """
    return _ties(place(trace(net)))


def _readers(placement: Placement) -> dict[str, str]:
    found: dict[str, str] = {}
    for operation in placement.operations.values():
        if operation.kind in LAYERS and operation.name not in placement.norms.values():
            found.setdefault(str(operation.node.target), placement.leader(operation.inputs[0]))
    return found


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
