"""Weights of a run's packed file, unpacked for the next layer while one computes, and timed."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.base.errors import InputError
from qat.core.packing import unpack
from qat.cost.timing import time_forwards
from qat.export.packed.file import read_file, unfold
from qat.export.packed.versions import migrated
from qat.graph.trace import trace
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins
from qat.memory.prefetch import MOST_UNPACKED, PrefetchExecutor
from qat.quantizers.base import Quantizer
from qat.records.side_files.memory import ORDINARY, PassTime, PrefetchMemory

REPEATS, WARMUP = 20, 3
INTERPRETED = "interpreted"
AHEAD, IN_TURN = "prefetch", "unpacked_in_turn"


class PackedWeights:
    """The streams of a packed file, and how to unpack one.

    Args:
        path: The file.
        layers: Name → quantized layer, whose grid the codes are of.
    """

    def __init__(self, path: Path, layers: Mapping[str, QuantTwin]) -> None:
        tensors, metadata = migrated(path, *read_file(path))
        layout = unfold(path, metadata, "layout")
        self.layers = {n: t for n, t in layers.items() if f"{n}.weight" in layout}
        self.streams = {name: tensors[f"{name}.weight"].numpy() for name in self.layers}

    @property
    def bytes(self) -> int:
        """Of all streams."""
        return sum(stream.nbytes for stream in self.streams.values())

    def unpack(self, name: str, buffer: Tensor) -> None:
        """Write a layer's weight, flat."""
        twin = self.layers[name]
        quantizer = twin.weight_quantizer
        assert isinstance(quantizer, Quantizer)
        codes = unpack(self.streams[name], buffer.numel(), *quantizer.code_range())
        weight = quantizer.decode(torch.from_numpy(codes).reshape(self.shape(name)))
        buffer.copy_(weight.flatten())

    def shape(self, name: str) -> torch.Size:
        """Of a layer's weight."""
        return self.layers[name].weight.shape


class _Run(nn.Module):
    """A call as a module, to be timed like one."""

    def __init__(self, call: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Any:
        return self.call(x)


@torch.no_grad()
def time_prefetch(net: nn.Module, path: Path, images: Tensor) -> PrefetchMemory:
    """Run a quantized network with packed weights: bytes unpacked at once, and latency.

    Args:
        net: On the CPU, in evaluation mode.
        path: Its packed file.
        images: One batch.

    Returns:
        Bytes, and for ``ordinary``, ``interpreted`` (node after node in Python, as the executor
        does it, on unpacked weights), ``prefetch`` (two buffers, ahead) and ``unpacked_in_turn``
        (one buffer) the medians and quartiles of forward passes taken in turn.

    Raises:
        ValueError: If an output differs from the ordinary one, or no weight is packed.
    """
    graph = net if isinstance(net, fx.GraphModule) else trace(net)
    called = {str(node.target) for node in graph.graph.nodes if node.op == "call_module"}
    packed = PackedWeights(path, {n: t for n, t in twins(graph) if n in called})
    if not packed.layers:
        raise InputError(f"{path} holds no weight as codes: memory.prefetch=true has nothing to do")
    ran = {
        name: PrefetchExecutor(graph, list(packed.layers), packed.unpack, ahead=name == AHEAD)
        for name in (AHEAD, IN_TURN)
    }
    for executor in ran.values():
        executor.run(images)  # what torch makes once is not counted as waiting
    results = {name: executor.run(images) for name, executor in ran.items()}
    for name, result in results.items():
        if not torch.equal(result.output, net(images)):
            raise InputError(f"weights of {path} give another output when {name}: write it anew")
        assert result.most_unpacked <= MOST_UNPACKED
    timed = {ORDINARY: net, INTERPRETED: _Run(fx.Interpreter(graph).run)}
    timed |= {name: _Run(executor.run) for name, executor in ran.items()}
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
        latency={name: PassTime(**asdict(taken)) for name, taken in times.items()},
    )
