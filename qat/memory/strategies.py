"""Memory strategies, and the memory that a network needs with each of them.

naive      every operation has its own buffer, all at the same time
reuse      a buffer is free again after the last step that reads it: one arena by lifetimes
in_place   elementwise operations write over an input that no later step reads (needs reuse)
schedule   operations run in an order that lowers the peak (needs reuse)
widths     tensors are stored at the widths of a plan, without it at the network's own widths
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
    """The strategies that are on; all off is naive.

    Raises:
        ValueError: If ``in_place`` or ``schedule`` is on without ``reuse``.

    Example:
        >>> Strategy(reuse=True, in_place=True).name
        'reuse+in_place'
    """

    reuse: bool = False
    in_place: bool = False
    schedule: bool = False
    widths: bool = False

    def __post_init__(self) -> None:
        if (self.in_place or self.schedule) and not self.reuse:
            raise InputError("in_place and schedule act on lifetimes: switch reuse on as well")

    @property
    def name(self) -> str:
        """``naive``, or the strategies that are on, such as ``reuse+in_place``."""
        return "+".join(key for key, on in vars(self).items() if on) or "naive"


@dataclass(frozen=True)
class MemoryPlan:
    """An order of the operations, and an offset for every storage.

    Attributes:
        strategy: The strategies of the plan.
        graph: The tensors at their stored widths, and the operations.
        order: Names of the operations in execution order.
        blocks: The blocks of the arena.
        arena: Their offsets.
        seconds: Duration of planning, without verification.
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
        """Check the plan and return it.

        Raises:
            PlanError: If the plan would destroy a tensor.
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
    """Plan the memory of a network, and verify the plan.

    Args:
        graph: The network's tensors and operations.
        strategy: The strategies that are on.
        bits: Name of a storage → its width, for ``strategy.widths``; None without that strategy.
        alignment: Alignment of every offset, in bytes.

    Raises:
        ValueError: If ``strategy.widths`` is on without ``bits``, or a width or the alignment is
            not positive.
        KeyError: If ``bits`` names something other than a storage.

    Example:
        >>> from torch import nn
        >>> from qat.memory.read import read_memory
        >>> graph = read_memory(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (2, 4)).graph
        >>> [plan_memory(graph, s, alignment=1).arena.bytes for s in STRATEGIES]
        [80, 56, 56, 56]
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
