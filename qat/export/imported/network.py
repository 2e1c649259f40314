"""The quantized tensors of a network, as a file of another program may call them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.convert.rules import make_plan
from qat.core.plan import Plan
from qat.core.scheme import Scheme
from qat.graph.operations import LAYERS
from qat.graph.points import Placement, place
from qat.graph.trace import trace

POOLS = ("avg_pool", "adaptive_avg_pool", "mean")
_TWO_INPUTS = ("add", "mul")


@dataclass
class ImportedNetwork:
    """A float network that a file is imported for.

    Attributes:
        plan: The plan of the network in a placement, with 8 bits everywhere.
        modules: Name → module of everything in it.
        points: Name of a tensor between layers → names of the operations that belong to it; empty
            for a network that cannot be traced.
        leaders: Name of a tensor → name of the one whose quantizer it uses.
        sources: Name of a layer → name of the tensor that it reads.
        calls: ``(kind, names of the tensors that are read)`` → tensors that are computed so.
    """

    plan: Plan
    modules: dict[str, nn.Module]
    points: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leaders: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    calls: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def outputs(self, layer: str) -> int:
        """Number of output channels of a layer."""
        weight: Tensor = self.plan_weight(layer)
        return int(weight.shape[0])

    def plan_weight(self, layer: str) -> Tensor:
        """The weight of a layer."""
        return self.modules[layer].weight  # type: ignore[return-value]

    def point_of(self, names: Sequence[str]) -> str | None:
        """The tensor that an operation of one of these names belongs to; None if there is none."""
        members = {member: point for point, all_ in self.points.items() for member in all_}
        return next((members[name] for name in names if name in members), None)


def imported_network(net: nn.Module, example: Tensor, placement: str) -> ImportedNetwork:
    """Look at a float network.

    Args:
        net: The network.
        example: Preprocessed images.
        placement: ``academic`` or ``integer``. Only ``integer`` needs a network that can be traced.

    Raises:
        ValueError: If the network cannot be quantized in this placement.
    """
    plan = make_plan(net, Scheme(placement=placement, first_last="same"), example)
    network = ImportedNetwork(plan, dict(net.named_modules()))
    try:
        placed = place(trace(net))
    except InputError:
        if placement == "integer":
            raise
        return network
    network.points = {name: point.members for name, point in placed.points.items()}
    network.leaders = dict(placed.shares)
    _add_calls(network, placed)
    return network


def call_key(kind: str, reads: Sequence[str]) -> tuple[str, ...]:
    """The key of :attr:`ImportedNetwork.calls`.

    Args:
        kind: Kind of an operation; all averages are one kind.
        reads: Names of the tensors that it reads.

    Example:
        >>> call_key("add", ["b", "a"])
        ('add', 'a', 'b')
    """
    ordered = sorted(reads) if kind in _TWO_INPUTS else reads
    return ("pool" if kind in POOLS else kind, *ordered)


def _add_calls(network: ImportedNetwork, placed: Placement) -> None:
    for operation in placed.operations.values():
        reads = [placed.sources[node] for node in operation.inputs if node in placed.sources]
        if operation.kind in LAYERS and operation.node.op == "call_module":
            network.sources.setdefault(str(operation.node.target), reads[0])
        if operation.name in placed.points:
            key = call_key(operation.kind, reads)
            network.calls.setdefault(key, []).append(operation.name)
