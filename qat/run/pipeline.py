"""One run, told as data: float → plan → calibrate → [fit] → evaluate → pack → deploy → record."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from qat.analysis.alone import with_alone
from qat.analysis.layers import tensor_rows
from qat.analysis.rows import TensorRow, rows_to_json
from qat.base.atomic import write_atomic
from qat.base.heap import trim_heap
from qat.base.progress import tracked
from qat.config.modes import trains
from qat.config.training_specs import trains_float
from qat.convert.calibrate import saturated_biases, set_phase
from qat.convert.integer import fold_norms
from qat.convert.swap import quantize, to_float
from qat.core.plan import Plan
from qat.cost.size import float_file_bytes
from qat.data.batches import Batches
from qat.export.packed.sizes import size_rows
from qat.records.divergence import FLOAT, QUANTIZED, divergence
from qat.records.environment import environment_facts
from qat.records.file_names import (
    CONFIG_NAME,
    HISTORY_NAME,
    LAYERS_NAME,
    PACKED_NAME,
    PLAN_NAME,
    SIZES_NAME,
)
from qat.records.folder import RunFolder
from qat.records.schema import Artifact, RunRecord
from qat.records.warned import with_warnings
from qat.run.calibration import calibrate_run
from qat.run.deploy.deployment import deploy
from qat.run.float_network import float_logits, float_network
from qat.run.memory.planned import run_memory
from qat.run.mixed.allocation import Allocation, choose_plan
from qat.run.mixed.files import write_allocation
from qat.run.mixed.prediction import check_prediction
from qat.run.prepare import Prepared
from qat.run.progress import stage as shown_stage
from qat.run.protocol import protocol
from qat.run.results import FLOAT_FIGURES, accuracies, compared, costs, sizes, times, unmeasured
from qat.run.signs import decided_plan, noted_signs
from qat.run.training import chosen_kernel, fit_quantized
from qat.training.evaluate import predict_logits

LAYER_IMAGES = 64
"""Test images on which the layers' tensors are looked at."""


@dataclass
class Stages:
    """What a run has come to: figures or why not, files, seconds of each stage, warnings.

    ``folder`` is the run's, where the stage under way is noted; ``told``: print a line for each.
    """

    folder: Path | None = None
    told: bool = True

    metrics: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    unmeasured: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, metrics: Mapping[str, float], unmeasured: Mapping[str, str]) -> None:
        """Take figures, and why others are absent."""
        self.metrics |= metrics
        self.unmeasured |= unmeasured

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Show a stage, and take its time."""
        start = time.perf_counter()
        with shown_stage(stage, self.folder, self.told):
            yield
            trim_heap()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class Outcome:
    """A finished run and its networks, for the pages that show them.

    Attributes:
        record: Complete, not yet written.
        net: The float network.
        qnet: The quantized one; None in mode float.
        layers: What quantization did to each tensor; none in mode float.
    """

    record: RunRecord
    net: nn.Module
    qnet: nn.Module | None
    layers: Sequence[TensorRow] = ()


def execute(prepared: Prepared, folder: RunFolder, record: RunRecord, told: bool = True) -> Outcome:
    """Compute a run; the record it returns is not written yet.

    Args:
        prepared: The checked request.
        folder: Held by its lock.
        record: Of status running; kept up to date on disk as plan and protocol are known.
        told: Where no terminal is, print a line for each stage.
    """
    torch.manual_seed(prepared.config.seed)
    stages = Stages(folder.path, told)
    with stages.timed("float"):
        net, digest = float_network(prepared)
        net.eval()
    with stages.timed("float_evaluation"):
        reference = float_logits(prepared, net, digest)
    record = record.move_to(
        "running",
        protocol=protocol(prepared, digest, chosen_kernel(prepared, net)),
        environment=environment_facts(torch.get_num_threads()),
    )
    if prepared.config.mode == "float":
        return _float_outcome(prepared, folder, record, stages, net, reference)
    return _quantized_outcome(prepared, folder, record, stages, net, digest, reference)


def _float_outcome(
    prepared: Prepared,
    folder: RunFolder,
    record: RunRecord,
    stages: Stages,
    net: nn.Module,
    reference: Tensor,
) -> Outcome:
    labels = prepared.data.test.labels.cpu()
    found = accuracies(reference, labels)
    stages.metrics |= found | {
        f"float_{name}": found[name] for name in FLOAT_FIGURES if name in found
    }
    stages.add(*costs(net, None, prepared.example()))
    stages.metrics["float_bytes"] = float_file_bytes(net)
    with stages.timed("timing"):
        stages.metrics |= times(prepared, {"float_eager_latency_ms": net})
    record = _deployed(prepared, folder, record, stages, net, None, reference)
    return Outcome(_done(prepared, record, stages), net, None)


def _quantized_outcome(
    prepared: Prepared,
    folder: RunFolder,
    record: RunRecord,
    stages: Stages,
    net: nn.Module,
    digest: str,
    reference: Tensor,
) -> Outcome:
    labels = prepared.data.test.labels.cpu()
    chosen = _chosen(prepared, stages, net, digest)
    plan = _planned_by_all(prepared, stages, net, digest) if chosen is None else chosen.plan
    plan.save(folder.path / PLAN_NAME)
    record = record.move_to("running", plan=plan.to_dict())
    folder.write(record)
    qnet = _quantized(prepared, folder.path, stages, net, plan, digest)
    stages.warnings += [
        f"{name}: {count} biases do not fit 32 bits and are clamped"
        for name, count in saturated_biases(qnet).items()
    ]
    with stages.timed("evaluation"), noted_signs(qnet, "evaluation", stages.warnings):
        logits = _logits(prepared, qnet, "evaluation")
    stages.metrics |= compared(reference, logits, labels)
    if chosen is not None:
        _checked(prepared, folder, stages, net, digest, chosen)
    with stages.timed("packing"):
        checked = first_images(
            prepared, prepared.images_at_once, prepared.config.evaluate.batch_size
        )
        stages.metrics |= sizes(qnet, net, folder.path / PACKED_NAME, checked)
        rows = [asdict(row) for row in size_rows(qnet, folder.path / PACKED_NAME)]
        write_atomic(folder.path / SIZES_NAME, json.dumps(rows, indent=2) + "\n")
    stages.add(*costs(net, plan, prepared.example()))
    with stages.timed("timing"):
        nets = {"float_eager_latency_ms": net, "simulated_latency_ms": qnet}
        stages.metrics |= times(prepared, nets)
    with stages.timed("analysis"):
        counterpart, seen = _counterpart(net, plan), list(_analysed(prepared))
        layers = with_alone(tensor_rows(counterpart, qnet, seen), counterpart, qnet, seen)
        write_atomic(folder.path / LAYERS_NAME, rows_to_json(layers))
    written = {"packed": PACKED_NAME, "plan": PLAN_NAME, "layers": LAYERS_NAME, "sizes": SIZES_NAME}
    for name, file in written.items():
        stages.artifacts[name] = folder.artifact(folder.path / file)
    record = _deployed(prepared, folder, record, stages, net, qnet, logits)
    return Outcome(_done(prepared, record, stages), net, qnet, layers)


def _planned_by_all(prepared: Prepared, stages: Stages, net: nn.Module, digest: str) -> Plan:
    """The scheme's plan, with what all calibration images say."""
    with stages.timed("signs"):
        return decided_plan(prepared, net, digest)


def _chosen(prepared: Prepared, stages: Stages, net: nn.Module, digest: str) -> Allocation | None:
    """In mode mixed, the widths."""
    if prepared.config.mode != "mixed":
        return None
    with stages.timed("allocation"):
        chosen = choose_plan(prepared, net, digest)
    stages.metrics["predicted_harm"] = chosen.problem.harm(chosen.bits)
    return chosen


def _checked(
    prepared: Prepared,
    folder: RunFolder,
    stages: Stages,
    net: nn.Module,
    digest: str,
    chosen: Allocation,
) -> None:
    """Hold the prediction against random plans, if that is asked for, and keep how it was made."""
    check = None
    if prepared.config.mixed.check_plans:
        with stages.timed("prediction"):
            check = check_prediction(prepared, net, digest, chosen)
        stages.metrics |= check.metrics()
        stages.unmeasured |= check.lacks
    config = prepared.config
    made = write_allocation(folder.path, config.allocate.name, trains(config), chosen, check)
    for artifact, file in made.items():
        stages.artifacts[artifact] = folder.artifact(file)


def _quantized(
    prepared: Prepared, folder: Path, stages: Stages, net: nn.Module, plan: Plan, digest: str
) -> nn.Module:
    """Convert, calibrate and, in mode qat, train."""
    qnet = quantize(net, plan, keep_norms=trains(prepared.config))
    with stages.timed("calibration"):
        seconds = calibrate_run(prepared, qnet, digest)
    stages.seconds["calibration"] = seconds  # those of another run's statistics count as well
    if not trains(prepared.config):
        return qnet.eval()
    with stages.timed("calibrated_evaluation"):
        logits = _logits(prepared, qnet, "evaluation after calibration")
        labels = prepared.data.test.labels.cpu()
        stages.metrics["calibrated_top1"] = accuracies(logits, labels)["top1"]
    with stages.timed("training"):
        stages.warnings += fit_quantized(prepared, qnet, folder / "checkpoints")
    set_phase(qnet, "quantize")
    fold_norms(qnet)
    return qnet.to(prepared.device).eval()


def _deployed(
    prepared: Prepared,
    folder: RunFolder,
    record: RunRecord,
    stages: Stages,
    net: nn.Module,
    qnet: nn.Module | None,
    logits: Tensor,
) -> RunRecord:
    """Add its memory, and what a runtime makes of the network, as far as it was asked for."""
    _planned(prepared, folder, stages, net, qnet)
    found = deploy(prepared, folder.path, net, qnet, logits, stages.timed)
    stages.metrics |= found.metrics
    stages.unmeasured |= found.unmeasured
    for name, file in found.files.items():
        stages.artifacts[name] = folder.artifact(file)
    parts = {key: dict(part) for key, part in record.protocol.items()}
    parts["evaluation"] |= {"runtime": found.runtime} if found.runtime else {}
    return record.move_to("running", gate=found.gate, protocol=parts)


def _planned(
    prepared: Prepared, folder: RunFolder, stages: Stages, net: nn.Module, qnet: nn.Module | None
) -> None:
    """Add where the memory goes."""
    with stages.timed("memory"):
        found = run_memory(prepared, folder.path, net, qnet, folder.path / PACKED_NAME)
    stages.metrics |= found.metrics
    stages.unmeasured |= found.unmeasured
    for name, file in found.files.items():
        stages.artifacts[name] = folder.artifact(file)


def _counterpart(net: nn.Module, plan: Plan) -> nn.Module:
    """The float network with the quantized one's layers: batch norm folded where that has it so."""
    return to_float(quantize(net, plan)) if plan.tensors else net


def _logits(prepared: Prepared, net: nn.Module, description: str) -> Tensor:
    batches = tracked(description, prepared.test_batches())
    return predict_logits(net, batches, prepared.device).cpu()


def _analysed(prepared: Prepared) -> Iterator[Tensor]:
    """Images to look at the layers' tensors with: all outputs of a batch are held, so few."""
    return first_images(prepared, max(1, prepared.images_at_once // 4), LAYER_IMAGES)


def first_images(prepared: Prepared, at_once: int, most: int) -> Iterator[Tensor]:
    """The first test images, ``most`` of them or all, a batch at a time."""
    first = prepared.data.test.subset(torch.arange(min(most, len(prepared.data.test))))
    for images, _ in Batches(first, min(at_once, most), prepared.data.preprocess):
        yield images


def _done(prepared: Prepared, record: RunRecord, stages: Stages) -> RunRecord:
    folder = RunFolder(prepared.folder)
    for name, file in {"config": CONFIG_NAME, "history": HISTORY_NAME}.items():
        if (path := folder.path / file).is_file():
            stages.artifacts[name] = folder.artifact(path)
    return with_warnings(record, [*stages.warnings, *_diverged(prepared, stages)]).move_to(
        "done",
        metrics=stages.metrics,
        seconds=stages.seconds,
        artifacts=stages.artifacts,
        unmeasured=unmeasured(
            stages.metrics,
            prepared.data.classes,
            prepared.config.mode,
            labelled=prepared.data.test.labelled,
        )
        | stages.unmeasured,
    )


def _diverged(prepared: Prepared, stages: Stages) -> list[str]:
    """A line for each training of the run that ended no better than chance."""
    trained = {FLOAT: trains_float(prepared.config), QUANTIZED: trains(prepared.config)}
    parts = [part for part, was in trained.items() if was]
    return divergence(parts, stages.metrics, prepared.data.classes, len(prepared.data.test))
