"""A run with packed weights: those of the next layer are unpacked while one layer computes."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.base.errors import InputError
from qat.cost.timing import time_forwards
from qat.export.packed.weights import PackedWeights
from qat.graph.trace import trace
from qat.layers.walk import twins
from qat.memory.prefetch import MOST_UNPACKED, PrefetchExecutor
from qat.records.side_files.memory import ORDINARY, MeasuredForward, PrefetchMemory

REPEATS, WARMUP = 20, 3
INTERPRETED = "interpreted"
AHEAD, IN_TURN = "prefetch", "unpacked_in_turn"


class _Run(nn.Module):
    """A function as a module, so that it can be timed like one."""

    def __init__(self, call: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Any:
        return self.call(x)


@torch.no_grad()
def time_prefetch(net: nn.Module, path: Path, images: Tensor) -> PrefetchMemory:
    """Run a quantized network with packed weights; measure bytes and latency.

    Args:
        net: The quantized network, on the CPU, in evaluation mode.
        path: Its packed file.
        images: One preprocessed batch, on the CPU.

    Returns:
        Bytes, and medians and quartiles of the times of forward passes taken in turn, of four kinds
        of execution: ``ordinary``; ``interpreted``, node by node in Python like the executor, with
        unpacked weights; ``prefetch`` with two buffers, unpacked one layer ahead; and
        ``unpacked_in_turn`` with one buffer.

    Raises:
        ValueError: If an output differs from the ordinary one, or no weight is packed.
    """
    graph = net if isinstance(net, fx.GraphModule) else trace(net)
    called = {str(node.target) for node in graph.graph.nodes if node.op == "call_module"}
    packed = PackedWeights(path, {n: t for n, t in twins(graph) if n in called})
    if not packed.layers:
        raise InputError(f"{path} holds no weight as codes: memory.prefetch=true has nothing to do")
    executors = {
        name: PrefetchExecutor(graph, list(packed.layers), packed.unpack, ahead=name == AHEAD)
        for name in (AHEAD, IN_TURN)
    }
    for executor in executors.values():
        executor.run(images)  # what torch allocates once is not counted as waiting
    results = {name: executor.run(images) for name, executor in executors.items()}
    for name, result in results.items():
        if not torch.equal(result.output, net(images)):
            raise InputError(
                f"the packed weights of {path} give another output than the network ({name}): "
                "write the file again with force=true"
            )
        assert result.most_unpacked <= MOST_UNPACKED
    timed = {ORDINARY: net, INTERPRETED: _Run(fx.Interpreter(graph).run)}
    timed |= {name: _Run(executor.run) for name, executor in executors.items()}
    times = time_forwards(timed, images, REPEATS, WARMUP)
    ahead = results[AHEAD]
    return PrefetchMemory(
        layers=len(packed.layers),
        packed_weight_bytes=packed.bytes,
        float_weight_bytes=sum(4 * packed.shape(name).numel() for name in packed.layers),
        peak_unpacked_bytes=ahead.peak_unpacked_bytes,
        peak_unpacked_in_turn_bytes=results[IN_TURN].peak_unpacked_bytes,
        buffer_bytes=ahead.buffer_bytes,
        most_unpacked=ahead.most_unpacked,
        unpack_ms=1000 * ahead.unpack_seconds,
        wait_ms=1000 * ahead.wait_seconds,
        threads=torch.get_num_threads(),
        latency={name: MeasuredForward(**asdict(timing)) for name, timing in times.items()},
    )
