"""An order of a network's operations with the lowest peak of live bytes.

The tensors that are alive after some operations depend on the set of these operations, not on their
order. Such sets (down-sets of the graph) are therefore the states of a shortest-path problem, in
which the length of a path is its peak instead of its sum (Liberis and Lane 2019, arXiv:1910.05110;
Ahn et al. 2020, arXiv:2003.02369). The search is best first: the first complete state is optimal.
An operation that increases neither the peak nor the number of live bytes is done at once, because
a later place is not better. A chain therefore adds no states, and a module with branches adds few.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from qat.memory.blocks import make_blocks, peak_bytes
from qat.memory.liveness import MemoryGraph, check_order, fits_over

MOST_STATES = 50_000
"""States that the exact search may visit; beyond them the beam search is used."""
BEAM = 64
"""States that the beam search keeps at each number of operations done."""


class TooManyStatesError(RuntimeError):
    """The exact search reached its limit of states."""


@dataclass(frozen=True)
class Schedule:
    """An order and its peak.

    Attributes:
        order: Names of all operations.
        peak: Largest number of bytes alive at one step.
        first_peak: Peak of the network's own order.
        exact: Whether it is proved that no order has a lower peak.
    """

    order: tuple[str, ...]
    peak: int
    first_peak: int
    exact: bool

    @property
    def saving(self) -> float:
        """Share of the first peak that the order saves, 0 to 1."""
        return 1 - self.peak / self.first_peak if self.first_peak else 0.0


def schedule(
    graph: MemoryGraph, in_place: bool = True, most_states: int = MOST_STATES, beam: int = BEAM
) -> Schedule:
    """Return the best order of a small graph, and a good order of a large one.

    The peak of the order is never higher than that of the network's own order.

    Args:
        graph: The network's tensors and operations.
        in_place: Whether elementwise operations write over an input that no later step reads.
        most_states: Limit of the exact search.
        beam: States that the beam search keeps at each number of operations done.
    """
    first = peak_bytes(make_blocks(graph, in_place=in_place))
    try:
        order, exact = exact_order(graph, in_place, most_states), True
    except TooManyStatesError:
        order, exact = beam_order(graph, in_place, beam), False
    peak = peak_bytes(make_blocks(graph, order, in_place))
    if peak >= first:
        return Schedule(graph.order, first, first, exact)
    return Schedule(check_order(graph, order), peak, first, exact)


def exact_order(
    graph: MemoryGraph, in_place: bool = True, most_states: int = MOST_STATES
) -> tuple[str, ...]:
    """Return an order with the lowest possible peak.

    Args:
        graph: The network's tensors and operations.
        in_place: Whether elementwise operations write over an input that no later step reads.
        most_states: Largest number of states to visit.

    Raises:
        TooManyStatesError: If the search needs more states.
    """
    steps = _Steps(graph, in_place)
    start = steps.settle(_State())
    queue, visited, number = [(start.peak, 0, 0, start)], set(), 0
    while queue:
        state = heapq.heappop(queue)[-1]
        if state.done in visited:
            continue
        if state.done == steps.all:
            return steps.names_of(state)
        visited.add(state.done)
        if len(visited) > most_states:
            raise TooManyStatesError(f"more than {most_states} sets of done operations: use a beam")
        for after in steps.after(state):
            if after.done not in visited:
                number += 1
                heapq.heappush(queue, (after.peak, -after.count, number, after))
    raise AssertionError("a graph without cycles has an order")


def beam_order(graph: MemoryGraph, in_place: bool = True, beam: int = BEAM) -> tuple[str, ...]:
    """Return a good order by beam search.

    Among the states with the same number of operations done, only the best ones are continued.

    Args:
        graph: The network's tensors and operations.
        in_place: Whether elementwise operations write over an input that no later step reads.
        beam: Number of states that are continued.
    """
    steps = _Steps(graph, in_place)
    waiting: dict[int, dict[int, _State]] = {}
    state = steps.settle(_State())
    waiting[state.count] = {state.done: state}
    for count in range(len(graph.operations)):
        here = sorted(waiting.pop(count, {}).values(), key=lambda s: (s.peak, s.live))
        for after in (a for state in here[:beam] for a in steps.after(state)):
            same = waiting.setdefault(after.count, {})
            if after.done not in same or after.peak < same[after.done].peak:
                same[after.done] = after
    return steps.names_of(next(iter(waiting[len(graph.operations)].values())))


@dataclass(frozen=True)
class _State:
    """Operations done (one bit each), live bytes, the peak so far, and the previous state."""

    done: int = 0
    live: int = 0
    peak: int = 0
    count: int = 0
    last: int = -1
    before: "_State | None" = field(default=None, repr=False)


class _Steps:
    """Transitions between states; sets of operations are bits of an integer."""

    def __init__(self, graph: MemoryGraph, in_place: bool) -> None:
        self.names = graph.order
        self.all = (1 << len(self.names)) - 1
        index = {name: i for i, name in enumerate(self.names)}
        tensors, readers = graph.tensors, dict.fromkeys(graph.order, 0)
        self.needs: list[int] = []
        self.reads: list[list[tuple[str, int]]] = []
        self.over: list[set[str]] = []
        self.sizes: list[int] = []
        for i, (name, operation) in enumerate(graph.operations.items()):
            read = {tensors[source].storage for source in operation.inputs}
            for storage in read:
                readers[storage] |= 1 << i
            self.needs.append(sum(1 << index[source] for source in operation.inputs))
            self.reads.append([(storage, tensors[storage].bytes) for storage in sorted(read)])
            over = [tensors[g] for g in operation.overwrites] if in_place else []
            self.over.append({g.storage for g in over if fits_over(tensors[name], g)})
            self.sizes.append(0 if tensors[name].is_view else tensors[name].bytes)
        self.readers = readers
        self.kept = set(graph.outputs)

    def after(self, state: _State) -> Iterator[_State]:
        """Yield the states one operation later, each settled."""
        for i in self._ready(state):
            yield self.settle(self._do(state, i))

    def settle(self, state: _State) -> _State:
        """Do all operations that increase neither the peak nor the live bytes."""
        advanced = True
        while advanced:
            advanced = False
            for i in self._ready(state):
                after = self._do(state, i)
                if after.peak <= state.peak and after.live <= state.live:
                    state, advanced = after, True
                    break
        return state

    def names_of(self, state: _State) -> tuple[str, ...]:
        way: list[str] = []
        at: _State | None = state
        while at is not None and at.before is not None:
            way.append(self.names[at.last])
            at = at.before
        return tuple(reversed(way))

    def _ready(self, state: _State) -> list[int]:
        return [
            i
            for i, needs in enumerate(self.needs)
            if not state.done >> i & 1 and needs & state.done == needs
        ]

    def _do(self, state: _State, i: int) -> _State:
        done = state.done | 1 << i
        dying = {
            storage: size
            for storage, size in self.reads[i]
            if storage not in self.kept and self.readers[storage] & done == self.readers[storage]
        }
        over = bool(self.over[i] & dying.keys())
        during = state.live + (0 if over else self.sizes[i])
        name = self.names[i]
        stays = name in self.kept or self.readers[name] != 0
        live = state.live - sum(dying.values()) + (self.sizes[i] if stays else 0)
        return _State(done, live, max(state.peak, during), state.count + 1, i, state)
