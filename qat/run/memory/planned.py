"""Memory of a run: its layers, its arena, the run inside it, and packed weights ahead of time."""

import copy
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.base.atomic import write_atomic
from qat.base.complaints import one_line
from qat.base.errors import InputError
from qat.config.schema import MemoryConfig
from qat.graph.trace import trace
from qat.layers.walk import twins
from qat.memory.allocator_peak import allocated_peak_bytes
from qat.memory.codec import Coding, PackedCodes
from qat.memory.estimate import MemoryEstimate, estimate_inference, estimate_training
from qat.memory.execute import ArenaExecutor
from qat.memory.read import Traced, read_memory
from qat.memory.strategies import IN_PLACE, REUSE, SCHEDULED, MemoryPlan, Strategy, plan_memory
from qat.records.file_names import MEMORY_NAME, PACKED_NAME
from qat.run.memory.prefetch import time_prefetch
from qat.run.memory.request import MemoryRequest
from qat.run.memory.widths import StoredTensors
from qat.run.stage_result import StageResult
from qat.tracking.figures.memory import memory_figures
from qat.tracking.figures.style import save_figure

PEAK, FLOAT_PEAK = "peak_activation_bytes", "float_peak_activation_bytes"
ALONE_AND_TOGETHER = (
    Strategy(),
    REUSE,
    IN_PLACE,
    Strategy(reuse=True, schedule=True),
    SCHEDULED,
)
PARTS = ("parameters", "buffers", "activations", "gradients", "optimizer")
_UNREADABLE = (ValueError, RuntimeError, TypeError, AttributeError, KeyError)
"""What reading a network raises whose control flow or operations are not those of a graph."""


@dataclass(frozen=True)
class Planned:
    """One network: its tensors, how they lie, its plan.

    Attributes:
        net: On the CPU.
        traced: Its tensors at 32 bits.
        codings: Storage → how it lies; of those that are codes.
        plan: By the strategies that are on.
    """

    net: nn.Module
    traced: Traced
    codings: dict[str, Coding]
    plan: MemoryPlan

    @property
    def bits(self) -> dict[str, int]:
        """Storage → width."""
        return {name: coding.bits for name, coding in self.codings.items()}


def run_memory(
    request: MemoryRequest, images: Tensor, net: nn.Module, qnet: nn.Module | None, folder: Path
) -> StageResult:
    """Plan the memory of a run's networks, write ``memory.json`` and its figures.

    Args:
        request: Strategies, and what is measured.
        images: One preprocessed batch, on the CPU.
        net: The float network.
        qnet: The quantized one; None in mode float.
        folder: The run's, with the packed file of ``qnet``.

    Raises:
        ValueError: If a run inside an arena gives another output than the ordinary one.
    """
    config, result = request.settings, StageResult()
    memory: dict[str, Any] = {"batch": config.batch, "strategy": strategy(config).name}
    shape = (config.batch, *images.shape[1:])
    memory["image_shape"] = list(shape[1:])
    try:
        networks = {"float": _float(net, shape, config)}
        if qnet is not None:
            networks["network"] = _quantized(qnet, shape, config)
    except _UNREADABLE as error:
        memory["unplanned"] = one_line(error)
        result.not_measured = dict.fromkeys(_names(config, qnet), memory["unplanned"])
    else:
        memory |= _layers(networks, qnet, request.optimizer)
        memory |= {"networks": {name: _arena(each, config) for name, each in networks.items()}}
        _measure(result, memory, networks, images, config, folder / PACKED_NAME)
    write_atomic(folder / MEMORY_NAME, json.dumps(memory, indent=1) + "\n")
    result.files["memory"] = folder / MEMORY_NAME
    for name, figure in memory_figures(memory).items() if request.draws_figures else ():
        result.files[name] = save_figure(figure, folder / f"{name}.png")
    return result


def strategy(config: MemoryConfig) -> Strategy:
    """The strategies that are on."""
    return Strategy(config.reuse, config.in_place, config.schedule, config.widths)


def _names(config: MemoryConfig, qnet: nn.Module | None) -> list[str]:
    """Metrics that a run has where its graph can be read."""
    names = [FLOAT_PEAK] + [PEAK] * (qnet is not None)
    if config.execute:
        names += ["arena_workspace_bytes", "arena_allocated_bytes"]
    return [*names, *["peak_unpacked_bytes"] * config.prefetch]


def _float(net: nn.Module, shape: Sequence[int], config: MemoryConfig) -> Planned:
    traced = read_memory(copy.deepcopy(net).cpu().eval(), shape)
    float_strategy = replace(strategy(config), widths=False)
    plan = plan_memory(traced.graph, float_strategy, alignment=config.alignment)
    return Planned(copy.deepcopy(net).cpu().eval(), traced, {}, plan)


def _quantized(qnet: nn.Module, shape: Sequence[int], config: MemoryConfig) -> Planned:
    net = copy.deepcopy(qnet).cpu().eval()
    graph = net if isinstance(net, fx.GraphModule) else trace(net)
    stored = StoredTensors(graph)
    traced = read_memory(graph, shape, chains=stored.chains(), device="cpu")
    owners = [name for name, tensor in traced.graph.tensors.items() if not tensor.is_view]
    codings = stored.codings(owners) if config.widths else {}
    bits = {name: coding.bits for name, coding in codings.items()}
    plan = plan_memory(traced.graph, strategy(config), bits, config.alignment)
    return Planned(net, traced, codings, plan)


def _layers(networks: dict[str, Planned], qnet: nn.Module | None, optimizer: str) -> dict[str, Any]:
    """Rows and totals in inference, before and after, and in training."""
    whole = networks["float"].traced
    before, training = estimate_inference(whole), estimate_training(whole, optimizer)
    estimates: dict[str, Any] = {
        "optimizer": optimizer,
        "inference_float": _estimate(before, before),
        "training": _estimate(training, before),
    }
    if qnet is not None:
        planned = networks["network"]
        traced = replace(planned.traced, graph=planned.traced.graph.with_bits(planned.bits))
        layers = {name: twin.plan.weight for name, twin in twins(qnet)}
        called = {str(n.target) for n in traced.module.graph.nodes if n.op == "call_module"}
        widths = {n: s.bits for n, s in layers.items() if not s.is_off and n in called}
        estimates["inference"] = _estimate(estimate_inference(traced, weight_bits=widths), before)
        estimates["weight_bits"] = widths
        estimates["stored_bits"] = _labelled_bits(planned)
    return estimates


def _labelled_bits(planned: Planned) -> dict[str, int]:
    """Layer → width that its output is stored at."""
    graph = planned.traced.graph.with_bits(planned.bits)
    return {operation.layer: graph.tensors[n].bits for n, operation in graph.operations.items()}


def _estimate(estimate: MemoryEstimate, before: MemoryEstimate) -> dict[str, Any]:
    return {
        "rows": [asdict(row) for row in estimate.rows],
        "totals": {part: estimate.sum(part) for part in PARTS},
        "total": estimate.total,
        "saving_percent": estimate.saving_percent(before),
        "assumed": list(estimate.assumed),
    }


def _arena(planned: Planned, config: MemoryConfig) -> dict[str, Any]:
    """The plan that is used, and what every strategy comes to, alone and together."""
    plan, rows = planned.plan, {}
    for each in ALONE_AND_TOGETHER:
        for widths in (False, True) if planned.codings else (False,):
            other = replace(each, widths=widths)
            rows[other.name] = plan_memory(
                planned.traced.graph, other, planned.bits, config.alignment
            )
    naive = rows["naive"].arena.bytes
    return {
        "order": list(plan.order),
        "blocks": [
            {
                **{key: getattr(block, key) for key in ("name", "bytes", "first", "last")},
                "members": list(block.members),
                "offset": plan.arena.offsets[block.name],
                "bits": plan.graph.tensors[block.members[-1]].bits,
            }
            for block in plan.blocks
        ],
        "arena": _bytes(plan, naive),
        "strategies": {name: _bytes(other, naive) for name, other in rows.items()},
    }


def _bytes(plan: MemoryPlan, naive: int) -> dict[str, Any]:
    arena = plan.arena
    return {
        "bytes": arena.bytes,
        "lower_bound_bytes": arena.lower_bound,
        "excess": arena.excess,
        "saving_percent": 100 * (1 - arena.bytes / naive) if naive else 0.0,
        "seconds": plan.seconds,
    }


def _measure(
    result: StageResult,
    memory: dict[str, Any],
    networks: dict[str, Planned],
    images: Tensor,
    config: MemoryConfig,
    packed: Path,
) -> None:
    """The metrics of the plans, and of the runs that are asked for."""
    suffix = "" if config.batch == 1 else f"_b{config.batch}"
    for name, planned in networks.items():
        prefix = "float_" if name == "float" else ""
        result.metrics[f"{prefix}{PEAK}{suffix}"] = planned.plan.arena.bytes
        if config.execute:
            ran = execute(name, planned, images)
            memory["networks"][name]["execution"] = ran
            for key in ("workspace_bytes", "allocated_bytes"):
                result.metrics[f"{prefix}arena_{key}{suffix}"] = ran[key]
    if config.prefetch:
        ran = time_prefetch(networks["network"].net, packed, images)
        memory["prefetch"] = ran
        result.metrics[f"peak_unpacked_bytes{suffix}"] = ran["peak_unpacked_bytes"]


@torch.no_grad()
def execute(name: str, planned: Planned, images: Tensor) -> dict[str, Any]:
    """Run a network inside its arena and hold its output against the ordinary one.

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
    return {
        "equal": True,
        "images": len(images),
        "arena_bytes": result.arena_bytes,
        "workspace_bytes": result.workspace_bytes,
        "allocated_bytes": allocated_peak_bytes(lambda: executor.run(images)),
        "ordinary_allocated_bytes": allocated_peak_bytes(lambda: planned.net(images)),
        "coded_tensors": len(planned.codings),
    }
