"""Memory strategies, each switched on its own, and what each of them needs.

naive      one buffer for every operation's output, all at once; elementwise ones out of place
reuse      a buffer is free again after the last step that reads it: one arena by lifetimes
in_place   elementwise operations write over an input that dies there (with reuse)
schedule   operations in an order that lowers the peak (with reuse)
widths     tensors stored at a plan's widths; without it at the network's own
"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from qat.base.errors import InputError
from qat.memory.arena import ALIGNMENT, TRIES, Arena, plan_arena
from qat.memory.blocks import Block, make_blocks
from qat.memory.liveness import MemoryGraph
from qat.memory.schedule import schedule
from qat.memory.verify import verify_execution, verify_offsets


@dataclass(frozen=True)
class Strategy:
    """Which strategies are on; all off is naive."""

    reuse: bool = False
    in_place: bool = False
    schedule: bool = False
    widths: bool = False

    def __post_init__(self) -> None:
        if (self.in_place or self.schedule) and not self.reuse:
            raise InputError("in_place and schedule act on lifetimes: switch reuse on as well")

    @property
    def name(self) -> str:
        """``naive``, or what is on, such as ``reuse+in_place``."""
        return "+".join(key for key, on in vars(self).items() if on) or "naive"


@dataclass(frozen=True)
class MemoryPlan:
    """An order, and a place for every storage.

    Attributes:
        strategy: What it was made with.
        graph: The tensors, at the widths they are stored at.
        order: Of the operations.
        blocks: What the arena holds.
        arena: Where.
        seconds: That planning took, verification not included.
    """

    strategy: Strategy
    graph: MemoryGraph
    order: tuple[str, ...]
    blocks: tuple[Block, ...]
    arena: Arena
    seconds: float

    @property
    def offsets(self) -> dict[str, int]:
        """Name of a storage → its first byte."""
        return {name: self.arena.offsets[b.name] for b in self.blocks for name in b.members}

    def verify(self) -> "MemoryPlan":
        """The plan itself, once the verifier found nothing.

        Raises:
            PlanError: If it would destroy a tensor.
        """
        arena = self.arena
        verify_offsets(self.blocks, arena.offsets, arena.bytes, arena.alignment)
        verify_execution(self.graph, self.order, self.offsets, arena.bytes, arena.alignment)
        return self


REUSE = Strategy(reuse=True)
IN_PLACE = Strategy(reuse=True, in_place=True)
SCHEDULED = Strategy(reuse=True, in_place=True, schedule=True)
STRATEGIES = (Strategy(), REUSE, IN_PLACE, SCHEDULED)


def plan_memory(
    graph: MemoryGraph,
    strategy: Strategy = SCHEDULED,
    bits: Mapping[str, int] | None = None,
    alignment: int = ALIGNMENT,
) -> MemoryPlan:
    """A verified plan.

    Args:
        graph: The network's tensors.
        strategy: What is on.
        bits: Name of a storage → its width, for ``strategy.widths``.
        alignment: Of every offset, in bytes.

    Raises:
        ValueError: If widths are on and none are given.
        KeyError: If a width is of no storage.
    """
    if strategy.widths and bits is None:
        raise InputError("strategy.widths needs the widths of tensors: give bits")
    start = perf_counter()
    graph = graph.with_bits(bits) if strategy.widths and bits is not None else graph
    order = schedule(graph, strategy.in_place).order if strategy.schedule else graph.order
    blocks = make_blocks(graph, order, strategy.in_place)
    placed = blocks
    if not strategy.reuse:
        placed = [Block(b.name, b.bytes, 0, len(order) - 1, b.members) for b in blocks]
    arena = plan_arena(placed, alignment, tries=TRIES if strategy.reuse else 0)
    seconds = perf_counter() - start
    return MemoryPlan(strategy, graph, order, tuple(placed), arena, seconds).verify()
