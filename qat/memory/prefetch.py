"""Weights that stay packed and are unpacked for the next layer while the present one computes.

Two buffers are used in turn: calls at even positions use one, calls at odd positions the other.
Each buffer is as large as its largest weight. A thread unpacks into the buffer that the previous
layer no longer needs. Torch's kernels release the interpreter's lock, so that the thread and the
layer run at the same time.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call

from qat.base.errors import UnknownNameError
from qat.core.evaluation_mode import evaluating
from qat.core.layout import format_of

Unpack = Callable[[str, Tensor], None]
"""``unpack(layer name, buffer)`` writes the layer's weight into a flat buffer of its size."""

MOST_UNPACKED = 2
"""Largest number of weights that are unpacked at once."""


@dataclass(frozen=True)
class PrefetchRun:
    """Result of a run with packed weights.

    Attributes:
        output: Output of the network.
        most_unpacked: Largest number of weights that were unpacked at once.
        peak_unpacked_bytes: Largest number of bytes of unpacked weights at once.
        buffer_bytes: Size of all buffers.
        seconds: Duration of the run.
        unpack_seconds: Time spent unpacking, during or before the layers.
        wait_seconds: Time that layers waited for their weights.
    """

    output: Any
    most_unpacked: int
    peak_unpacked_bytes: int
    buffer_bytes: int
    seconds: float
    unpack_seconds: float
    wait_seconds: float


class PrefetchExecutor:
    """Runs a traced network and unpacks the weight of each layer when it is needed.

    The network is copied without those weights; ``unpack`` is their only source.

    Args:
        module: The traced network.
        layers: Names of the layers whose ``weight`` is packed.
        unpack: Writes a weight into a buffer; called in another thread, one call at a time.
        ahead: If true, the next layer is unpacked while one computes, with two buffers. If false,
            each layer is unpacked when it is called, with one buffer.

    Raises:
        KeyError: If a layer is not called by the graph or has no weight.

    Example:
        >>> net = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2, bias=False)))
        >>> executor = PrefetchExecutor(net, ["0"], lambda name, buffer: buffer.fill_(1.0))
        >>> executor.run(torch.tensor([[1.0, 2.0]])).output
        tensor([[3., 3.]])
    """

    def __init__(
        self, module: fx.GraphModule, layers: Sequence[str], unpack: Unpack, ahead: bool = True
    ) -> None:
        self.calls = _calls(module, set(layers))
        weights = {name: _weight(module, name) for name in layers}
        self.shapes = {name: weight.shape for name, weight in weights.items()}
        self.unpack, self.ahead = unpack, ahead
        self.module = _without(module, weights)
        self.buffers = _buffers(self.calls, weights, 2 if ahead else 1)

    @property
    def buffer_bytes(self) -> int:
        """Size of all buffers."""
        return sum(buffer.nbytes for buffer in self.buffers)

    @torch.no_grad()
    def run(self, images: Tensor) -> PrefetchRun:
        """Run a batch.

        Args:
            images: A batch that the network accepts.

        Raises:
            Exception: Any error of ``unpack``.
        """
        with ThreadPoolExecutor(1, "unpack") as pool, evaluating(self.module):
            turn = _Turn(self, pool)
            start = perf_counter()
            output = turn.run(images)
            seconds = perf_counter() - start
        return PrefetchRun(
            *(output, turn.most, turn.peak_bytes, self.buffer_bytes),
            *(seconds, turn.unpack_seconds, turn.wait_seconds),
        )


class _Turn(fx.Interpreter):
    """One run: it records which weight is in which buffer."""

    def __init__(self, plan: PrefetchExecutor, pool: ThreadPoolExecutor) -> None:
        super().__init__(plan.module)
        self.plan, self.pool = plan, pool
        self.unpacked: dict[int, int] = {}
        self.coming: dict[int, Future[None]] = {}
        self.place = self.most = self.peak_bytes = 0
        self.unpack_seconds = self.wait_seconds = 0.0

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a layer with its unpacked weight; call other modules unchanged."""
        if target not in self.plan.shapes:
            return super().call_module(target, args, kwargs)
        place = self.place
        self._wait(place)
        if self.plan.ahead and place + 1 < len(self.plan.calls):
            self._start(place + 1)
        layer: Any = self.plan.module.get_submodule(target)
        weight = self._buffer(place).view(self.plan.shapes[target])
        weight = weight.contiguous(memory_format=format_of(layer.weight))
        output = functional_call(layer, {"weight": weight}, args, kwargs)
        del self.unpacked[place]
        self.place += 1
        return output

    def _wait(self, place: int) -> None:
        start = perf_counter()
        if place not in self.coming:
            self._start(place)
        self.coming.pop(place).result()
        self.wait_seconds += perf_counter() - start

    def _start(self, place: int) -> None:
        """Begin to unpack a weight, which counts as unpacked from here on."""
        buffer = self._buffer(place)
        self.unpacked[place] = buffer.nbytes
        self.most = max(self.most, len(self.unpacked))
        self.peak_bytes = max(self.peak_bytes, sum(self.unpacked.values()))
        assert len(self.unpacked) <= MOST_UNPACKED, f"unpacked at once: {self.unpacked}"
        self.coming[place] = self.pool.submit(self._unpack, place, buffer)

    def _unpack(self, place: int, buffer: Tensor) -> None:
        start = perf_counter()
        self.plan.unpack(self.plan.calls[place], buffer)
        self.unpack_seconds += perf_counter() - start

    def _buffer(self, place: int) -> Tensor:
        buffers = self.plan.buffers
        count = self.plan.shapes[self.plan.calls[place]].numel()
        return buffers[place % len(buffers)][:count]


def _calls(module: fx.GraphModule, layers: set[str]) -> list[str]:
    called = [str(n.target) for n in module.graph.nodes if n.op == "call_module"]
    if unknown := sorted(layers - set(called)):
        raise UnknownNameError(
            f"the network calls no layers {unknown}; it calls {', '.join(called)}"
        )
    return [name for name in called if name in layers]


def _weight(module: fx.GraphModule, name: str) -> Tensor:
    weight = getattr(module.get_submodule(name), "weight", None)
    if not isinstance(weight, Tensor):
        raise UnknownNameError(f"layer {name!r} has no weight that could be packed: leave it out")
    return weight


def _without(module: fx.GraphModule, weights: Mapping[str, Tensor]) -> fx.GraphModule:
    """Return a copy in which those weights are empty, so that only the buffers hold them."""
    empty = {id(w): nn.Parameter(torch.empty(0), requires_grad=False) for w in weights.values()}
    return copy.deepcopy(module, dict(empty))


def _buffers(calls: Sequence[str], weights: Mapping[str, Tensor], count: int) -> list[Tensor]:
    sizes = [
        max((weights[n].numel() for n in calls[turn::count]), default=0) for turn in range(count)
    ]
    dtype = next((weight.dtype for weight in weights.values()), torch.float32)
    return [torch.empty(size, dtype=dtype) for size in sizes]
