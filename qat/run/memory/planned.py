"""Memory of a run: per layer, in an arena, in a run inside that arena, with packed weights."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.base.complaints import one_line
from qat.base.errors import InputError
from qat.config.schema import MemoryConfig
from qat.core.network_tensors import cpu_copy
from qat.graph.trace import trace
from qat.layers.walk import twins
from qat.memory.allocator_peak import allocated_peak_bytes
from qat.memory.codec import Coding, PackedCodes
from qat.memory.estimate import MemoryEstimate, estimate_inference, estimate_training
from qat.memory.execute import ArenaExecutor
from qat.memory.read import Traced, read_memory
from qat.memory.stored import StoredTensors
from qat.memory.strategies import IN_PLACE, REUSE, SCHEDULED, MemoryPlan, Strategy, plan_memory
from qat.records.file_names import PACKED_NAME
from qat.records.side_files.memory import (
    FLOAT,
    NAIVE,
    ArenaBlock,
    ArenaExecution,
    ArenaSize,
    MemoryFile,
    MemoryTable,
    MemoryTotals,
    NetworkArena,
    OperationMemory,
    PlannedMemory,
)
from qat.run.memory.prefetch import time_prefetch
from qat.run.memory.request import MemoryRequest
from qat.run.stage_result import StageResult

PEAK, FLOAT_PEAK = "peak_activation_bytes", "float_peak_activation_bytes"
ALONE_AND_TOGETHER = (
    Strategy(),
    REUSE,
    IN_PLACE,
    Strategy(reuse=True, schedule=True),
    SCHEDULED,
)
_UNREADABLE = (ValueError, RuntimeError, TypeError, AttributeError, KeyError)
"""Errors of reading a network that is no graph: by its control flow or its operations."""


@dataclass(frozen=True)
class Planned:
    """One network, its tensors, and its memory plan.

    Attributes:
        net: The network, on the CPU.
        traced: Its graph, with every tensor at 32 bits.
        codings: Name of a stored tensor → coding, for those stored as codes.
        plan: The memory plan by the configured strategies.
    """

    net: nn.Module
    traced: Traced
    codings: dict[str, Coding]
    plan: MemoryPlan

    @property
    def bits(self) -> dict[str, int]:
        """Name of a tensor that is stored as codes → its width."""
        return {name: coding.bits for name, coding in self.codings.items()}


def run_memory(
    request: MemoryRequest, images: Tensor, net: nn.Module, qnet: nn.Module | None, folder: Path
) -> StageResult:
    """Plan the memory of a run's networks, write ``memory.json`` and its figures.

    Args:
        request: Strategies, and what is measured.
        images: One preprocessed batch, on the CPU.
        net: The float network.
        qnet: The quantized network; None in mode float.
        folder: The run's folder, with the packed file of ``qnet``.

    Raises:
        ValueError: If a run inside an arena gives another output than the ordinary one.
    """
    config, result = request.settings, StageResult()
    shape = (config.batch, *images.shape[1:])
    planned, unplanned = None, None
    try:
        networks = {FLOAT: _float(net, shape, config)}
        if qnet is not None:
            networks["network"] = _quantized(qnet, shape, config)
    except _UNREADABLE as error:
        unplanned = one_line(error)
        result.not_measured = dict.fromkeys(_names(config, qnet), unplanned)
    else:
        packed = folder / PACKED_NAME
        planned = _planned_memory(result, networks, qnet, images, request, packed)
    memory = MemoryFile(config.batch, strategy(config).name, shape[1:], unplanned, planned)
    memory.write(folder / MemoryFile.NAME)
    result.files["memory"] = folder / MemoryFile.NAME
    if request.draws_figures:
        result.files |= _draw(memory, folder)
    return result


def _draw(memory: MemoryFile, folder: Path) -> dict[str, Path]:
    from qat.tracking.figures.memory import memory_figures  # imports matplotlib
    from qat.tracking.figures.style import save_figure

    figures = memory_figures(memory)
    return {name: save_figure(figure, folder / f"{name}.png") for name, figure in figures.items()}


def strategy(config: MemoryConfig) -> Strategy:
    """The configured strategies."""
    return Strategy(config.reuse, config.in_place, config.schedule, config.widths)


def _names(config: MemoryConfig, qnet: nn.Module | None) -> list[str]:
    """Metrics of a run whose graph can be read."""
    names = [FLOAT_PEAK] + [PEAK] * (qnet is not None)
    if config.execute:
        names += ["arena_workspace_bytes", "arena_allocated_bytes"]
    return [*names, *["peak_unpacked_bytes"] * config.prefetch]


def _float(net: nn.Module, shape: Sequence[int], config: MemoryConfig) -> Planned:
    # On the CPU and not on torch's meta device, which imports torch's compiler.
    own = cpu_copy(net).eval()
    traced = read_memory(own, shape, device="cpu")
    float_strategy = replace(strategy(config), widths=False)
    plan = plan_memory(traced.graph, float_strategy, alignment=config.alignment)
    return Planned(own, traced, {}, plan)


def _quantized(qnet: nn.Module, shape: Sequence[int], config: MemoryConfig) -> Planned:
    net = cpu_copy(qnet).eval()
    graph = net if isinstance(net, fx.GraphModule) else trace(net)
    stored = StoredTensors(graph)
    traced = read_memory(graph, shape, chains=stored.chains(), device="cpu")
    owners = [name for name, tensor in traced.graph.tensors.items() if not tensor.is_view]
    codings = stored.codings(owners) if config.widths else {}
    bits = {name: coding.bits for name, coding in codings.items()}
    plan = plan_memory(traced.graph, strategy(config), bits, config.alignment)
    return Planned(net, traced, codings, plan)


def _planned_memory(
    result: StageResult,
    networks: Mapping[str, Planned],
    qnet: nn.Module | None,
    images: Tensor,
    request: MemoryRequest,
    packed: Path,
) -> PlannedMemory:
    """The memory of layers in inference and training, of the arenas, and of runs inside them."""
    whole, config = networks[FLOAT].traced, request.settings
    before, training = estimate_inference(whole), estimate_training(whole, request.optimizer)
    quantized = {} if qnet is None else _quantized_layers(networks["network"], qnet, before)
    arenas = {
        name: _measured_arena(result, name, planned, images, config)
        for name, planned in networks.items()
    }
    prefetch = None
    if config.prefetch:
        prefetch = time_prefetch(networks["network"].net, packed, images)
        name = f"peak_unpacked_bytes{_suffix(config)}"
        result.metrics[name] = prefetch.peak_unpacked_bytes
    return PlannedMemory(
        optimizer=request.optimizer,
        inference_float=_table(before, before),
        training=_table(training, before),
        **quantized,
        networks=arenas,
        prefetch=prefetch,
    )


def _quantized_layers(planned: Planned, qnet: nn.Module, before: MemoryEstimate) -> dict[str, Any]:
    """The fields of :class:`PlannedMemory` that only a quantized run has."""
    traced = replace(planned.traced, graph=planned.traced.graph.with_bits(planned.bits))
    layers = {name: twin.plan.weight for name, twin in twins(qnet)}
    called = {str(n.target) for n in traced.module.graph.nodes if n.op == "call_module"}
    widths = {n: s.bits for n, s in layers.items() if not s.is_off and n in called}
    return {
        "inference": _table(estimate_inference(traced, weight_bits=widths), before),
        "weight_bits": widths,
        "stored_bits": _labelled_bits(planned),
    }


def _labelled_bits(planned: Planned) -> dict[str, int]:
    """Layer → width of its stored output."""
    graph = planned.traced.graph.with_bits(planned.bits)
    return {operation.layer: graph.tensors[n].bits for n, operation in graph.operations.items()}


def _table(estimate: MemoryEstimate, before: MemoryEstimate) -> MemoryTable:
    return MemoryTable(
        rows=tuple(OperationMemory(**asdict(row)) for row in estimate.rows),
        totals=MemoryTotals(
            **{part.name: estimate.sum(part.name) for part in fields(MemoryTotals)}
        ),
        total=estimate.total,
        saving_percent=estimate.saving_percent(before),
        assumed=tuple(estimate.assumed),
    )


def _arena(planned: Planned, config: MemoryConfig) -> NetworkArena:
    """The plan that is used, and the bytes of every strategy, alone and combined."""
    plan, rows = planned.plan, {}
    for each in ALONE_AND_TOGETHER:
        for widths in (False, True) if planned.codings else (False,):
            other = replace(each, widths=widths)
            rows[other.name] = plan_memory(
                planned.traced.graph, other, planned.bits, config.alignment
            )
    naive = rows[NAIVE].arena.bytes
    return NetworkArena(
        order=tuple(plan.order),
        blocks=tuple(
            ArenaBlock(
                **{key: getattr(block, key) for key in ("name", "bytes", "first", "last")},
                members=tuple(block.members),
                offset=plan.arena.offsets[block.name],
                bits=plan.graph.tensors[block.members[-1]].bits,
            )
            for block in plan.blocks
        ),
        arena=_size(plan, naive),
        strategies={name: _size(other, naive) for name, other in rows.items()},
    )


def _size(plan: MemoryPlan, naive: int) -> ArenaSize:
    arena = plan.arena
    return ArenaSize(
        bytes=arena.bytes,
        lower_bound_bytes=arena.lower_bound,
        excess=arena.excess,
        saving_percent=100 * (1 - arena.bytes / naive) if naive else 0.0,
        seconds=plan.seconds,
    )


def _measured_arena(
    result: StageResult, name: str, planned: Planned, images: Tensor, config: MemoryConfig
) -> NetworkArena:
    """The arena of a network, and its metrics; with ``memory.execute`` it runs inside the arena."""
    prefix, suffix = "float_" if name == FLOAT else "", _suffix(config)
    result.metrics[f"{prefix}{PEAK}{suffix}"] = planned.plan.arena.bytes
    arena = _arena(planned, config)
    if not config.execute:
        return arena
    execution = execute(name, planned, images)
    for key in ("workspace_bytes", "allocated_bytes"):
        result.metrics[f"{prefix}arena_{key}{suffix}"] = getattr(execution, key)
    return replace(arena, execution=execution)


def _suffix(config: MemoryConfig) -> str:
    """Suffix of the metrics' names, such as ``_b8`` for batches of eight images."""
    return "" if config.batch == 1 else f"_b{config.batch}"


@torch.no_grad()
def execute(name: str, planned: Planned, images: Tensor) -> ArenaExecution:
    """Run a network inside its arena, and compare its output with the ordinary one.

    Args:
        name: Name of the network in the error message.
        planned: The network and its memory plan.
        images: One preprocessed batch, on the CPU.

    Raises:
        ValueError: If one bit differs.
    """
    codec = PackedCodes(planned.plan.graph, planned.codings) if planned.codings else None
    executor = ArenaExecutor(planned.traced, planned.plan, codec)
    result = executor.run(images)
    if not torch.equal(result.output, planned.net(images)):
        raise InputError(
            f"the {name} network gives another output inside its arena than outside: a tensor was "
            "destroyed, or its quantizer's forward differs from decode(encode(x))"
        )
    return ArenaExecution(
        equal=True,
        images=len(images),
        arena_bytes=result.arena_bytes,
        workspace_bytes=result.workspace_bytes,
        allocated_bytes=allocated_peak_bytes(lambda: executor.run(images)),
        ordinary_allocated_bytes=allocated_peak_bytes(lambda: planned.net(images)),
        coded_tensors=len(planned.codings),
    )
