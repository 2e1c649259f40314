"""Parity of a run: its simulation and its runtime are compared, and thresholds decide the gate."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor

from qat.config.schema import ParityConfig
from qat.export.parity.gate import LogitAgreement, ParityThresholds
from qat.export.parity.network import ON, Exported, Parity, check_parity
from qat.export.reference.accumulators import accumulators
from qat.export.runtimes.base import Runtime
from qat.export.runtimes.labels import (
    HALF_SIMULATED,
    SIZE_ONLY,
    float16_products,
    float_layers,
)
from qat.layers.walk import twins
from qat.records.environment import (
    cpu_facts,
    integer_products,
    products_may_saturate,
    usable_cores,
)
from qat.records.side_files.parity import (
    AccumulatorWidth,
    LayerComparison,
    LogitComparison,
    ParityFile,
    ParityLimits,
    RuntimeExecution,
)
from qat.run.results import accuracies
from qat.run.stage_result import StageResult


def run_parity(
    config: ParityConfig,
    exported: Exported,
    runtime: Runtime,
    batches: Iterable[tuple[Tensor, Tensor]],
    simulated: Tensor,
    labels: Tensor,
    folder: Path,
    memory_limit_bytes: int | None = None,
) -> StageResult:
    """Compare the runtime with the simulation, and write ``parity.json`` into the run's folder.

    Args:
        config: Numbers of images, and the thresholds of the gate.
        exported: The network and its file.
        runtime: The runtime that runs the file.
        batches: (images, labels) of the test set.
        simulated: Outputs in torch on the test set.
        labels: Labels of the test set.
        folder: The run's folder.
        memory_limit_bytes: How much of the runtime's codes may be kept at once; None for no limit.

    Returns:
        Metrics of the runtime and of parity, and the gate. If the runtime does not compute layers
        in the format in which they are stored, also why no latency is measured.
    """
    thresholds = _thresholds(config)
    parity = check_parity(
        exported,
        runtime,
        batches,
        simulated,
        thresholds,
        threads=usable_cores(),
        images_off=config.images,
        layer_images=config.layer_images,
        reference_images=config.reference_images,
        memory_limit_bytes=memory_limit_bytes,
    )
    widths = _accumulators(exported, batches, config.reference_images)
    execution = _execution(exported, runtime)
    _parity_file(parity, thresholds, execution, widths).write(folder / ParityFile.NAME)
    logits = torch.from_numpy(parity.runtime_logits)
    right = accuracies(logits, labels)
    metrics = {f"runtime_{name}": right[name] for name in ("top1",) if name in right}
    metrics |= _metrics(parity)
    if widths:
        metrics["accumulator_bits"] = max(row.worst_bits for row in widths)
    label = _label(execution)
    return StageResult(
        metrics,
        not_measured={} if label is None else dict.fromkeys(("latency_ms", "speedup"), label),
        files={"parity": folder / ParityFile.NAME},
        gate=parity.verdict.gate,
    )


def _parity_file(
    parity: Parity,
    thresholds: ParityThresholds,
    execution: RuntimeExecution,
    widths: Sequence[AccumulatorWidth],
) -> ParityFile:
    return ParityFile(
        gate=parity.verdict.gate,
        cause=parity.verdict.cause,
        reason=parity.verdict.reason,
        thresholds=ParityLimits(**asdict(thresholds)),
        execution=execution,
        logits={how: LogitComparison(**asdict(rows)) for how, rows in parity.logits.items()},
        first_diverging={
            how: None if layer is None else LayerComparison(**asdict(layer))
            for how, layer in parity.diverging.items()
        },
        sensitivity=_comparison(parity.sensitivity),
        reference=_comparison(parity.reference),
        layers=tuple(LayerComparison(**asdict(row)) for row in parity.layers),
        accumulators=tuple(widths),
        saturated_biases=dict(parity.saturated),
    )


def _comparison(logits: LogitAgreement | None) -> LogitComparison | None:
    return None if logits is None else LogitComparison(**asdict(logits))


def _thresholds(config: ParityConfig) -> ParityThresholds:
    return ParityThresholds(
        top1_agreement=config.top1_agreement,
        within_one_step=config.within_one_step,
        max_steps=config.max_steps,
        sqnr_db=config.sqnr_db,
        layer_steps=config.layer_steps,
        allow_ties=config.allow_ties,
    )


def _execution(exported: Exported, runtime: Runtime) -> RuntimeExecution:
    """Which layers the runtime computes as integers, and with which instructions."""
    layers = [] if exported.half else [name for name, _ in twins(exported.qnet)]
    nodes = runtime.load(exported.file, threads=1).nodes()
    instructions = cpu_facts()[1]
    return RuntimeExecution(
        runtime=runtime.name,
        version=runtime.version(),
        instructions=integer_products(instructions),
        may_saturate=products_may_saturate(instructions),
        layers=len(layers),
        float_layers=tuple(float_layers(nodes, layers)),
        float16_products=float16_products(nodes) if exported.half else None,
        nodes=len(nodes),
        integer_nodes=sum(node.integer for node in nodes),
    )


def _label(execution: RuntimeExecution) -> str | None:
    if (products := execution.float16_products) is not None:
        return HALF_SIMULATED if products[0] < products[1] else None
    return SIZE_ONLY if execution.float_layers else None


def _accumulators(
    exported: Exported, batches: Iterable[tuple[Tensor, Tensor]], count: int
) -> list[AccumulatorWidth]:
    if exported.program is None or not count:
        return []
    images = next(iter(batches))[0][:count].cpu().numpy()
    rows = accumulators(exported.program, images)
    return [AccumulatorWidth(**asdict(row), overflows=row.overflows) for row in rows]


def _metrics(parity: Parity) -> dict[str, float]:
    logits = parity.logits.values()
    metrics = {"parity_top1_agreement": min(rows.top1_agreement for rows in logits)}
    within = parity.logits[ON].within_one_step
    steps = [rows.max_steps for rows in logits if rows.max_steps is not None]
    if within is not None and all(map(isfinite, steps)):
        metrics["parity_max_steps"] = max(steps)
        metrics["parity_within_one_step"] = min(rows.within_one_step or 0.0 for rows in logits)
    return metrics
