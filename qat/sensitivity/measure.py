"""How much each layer minds being quantized, one tensor at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.base.progress import Track
from qat.core.plan import Plan
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.groups import tensors_read
from qat.sensitivity.metrics import Metric
from qat.sensitivity.perturbation import perturbation_scores
from qat.sensitivity.prefix import MEMORY_LIMIT_BYTES, Runner, make_runner
from qat.sensitivity.registry import metric_of
from qat.sensitivity.single_quantizer import Fitted, fit_quantizers
from qat.sensitivity.table import SensitivityRow, SensitivityTable
from qat.sensitivity.widths import FLOAT_BITS, SLOTS, Slot, check_layers, check_widths, slots_of

Batch = tuple[Tensor, Tensor]
Keep = Callable[[str, SensitivityRow], None]
Scores = dict[tuple[str, str, int], float]


def sensitivities(
    net: nn.Module,
    plan: Plan,
    batches: Iterable[Batch],
    metrics: Sequence[str | Metric],
    widths: Sequence[int],
    *,
    calibration: Iterable[Any] | None = None,
    slots: Sequence[str] = SLOTS,
    layers: Sequence[str] | None = None,
    done: Mapping[str, Iterable[SensitivityRow]] | None = None,
    keep: Keep | None = None,
    track: Track | None = None,
    reuse: bool = True,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    hessian: Mapping[str, Any] | None = None,
) -> dict[str, SensitivityTable]:
    """Quantize one tensor, measure, restore; for every tensor and width, by one metric or more.

    Metrics that look at the outputs share the runs. Layers before the changed one are not run
    again, see :mod:`qat.sensitivity.prefix`; a network that cannot be traced is run whole each
    time.

    Args:
        net: The float network; it is left as it is.
        plan: Which layers are tried, and by which methods; its widths do not matter. Make it with
            ``first_last="same"`` to try the first and last layer as well.
        batches: ``(images, labels)`` to measure on, on the network's device.
        metrics: Names of :data:`qat.sensitivity.registry.METRICS`, or metrics of the user's own.
        widths: Candidates; 16 is fp16, 32 float.
        calibration: Batches to take ranges from; those of ``batches`` if None.
        slots: ``weight``, ``act`` or both.
        layers: Only these; all of the plan if None.
        done: Metric → rows that a run before this one kept. They are not computed again.
        keep: Called with ``(metric, row)`` as soon as a row is known.
        track: Wraps the list of runs to show progress.
        reuse: False runs everything each time: for comparison.
        memory_limit_bytes: How much of the activations before a layer may be kept.
        hessian: ``tolerance``, ``max_probes``, ``seed`` of the Hessian's traces.

    Returns:
        Metric → table.

    Raises:
        KeyError: If a metric or a layer is unknown.
        ValueError: If there is no width, metric, slot or batch, or a score is NaN.
    """
    known = [metric_of(metric) if isinstance(metric, str) else metric for metric in metrics]
    if not known:
        raise InputError("no sensitivity metric was asked for: name at least one")
    candidates = check_widths(widths, plan.placement)
    check_layers(layers or (), list(plan.layers))
    wanted = _once(net, plan, _wanted(plan, slots, layers))
    measured = _checked(batches)
    ranges = measured if calibration is None else list(calibration)
    digest = sensitivity_digest(net, plan, ranges, measured)
    scores = {metric.name: _scores(done, metric) for metric in known}

    def note(metric: Metric, slot: Slot, bits: int, score: float) -> None:
        row = SensitivityRow(*slot, bits, score)
        scores[metric.name][*slot, bits] = score
        if keep:
            keep(metric.name, row)

    tasks = {
        metric: [
            (slot, bits)
            for slot in _looked_at(metric, wanted)
            for bits in candidates
            if (*slot, bits) not in scores[metric.name]
        ]
        for metric in known
    }
    if any(tasks.values()):
        fitted = fit_quantizers(net, plan, candidates, ranges)
        _by_outputs(fitted, tasks, measured, note, track, reuse, memory_limit_bytes)
        _by_errors(fitted, tasks, measured, note, track, hessian)
    return {
        metric.name: _table(metric, digest, wanted, candidates, scores[metric.name])
        for metric in known
    }


Note = Callable[[Metric, Slot, int, float], None]
Tasks = Mapping[Metric, Sequence[tuple[Slot, int]]]


def _by_outputs(
    fitted: Fitted,
    tasks: Tasks,
    batches: Sequence[Batch],
    note: Note,
    track: Track | None,
    reuse: bool,
    memory_limit_bytes: int,
) -> None:
    own = {metric: todo for metric, todo in tasks.items() if metric.score and todo}
    runs = {(slot, bits) for todo in own.values() for slot, bits in todo}
    if not runs:
        return
    images, labels = [batch for batch, _ in batches], torch.cat([label for _, label in batches])
    runner = (
        make_runner(fitted.host, images, memory_limit_bytes)
        if reuse
        else Runner(fitted.host, images)
    )
    paths = runner.order(list(dict.fromkeys(site.path for site in fitted.sites.values())))
    order = sorted(runs, key=lambda run: (paths.index(fitted.sites[run[0]].path), *run[0], run[1]))
    reference = Runner(fitted.host, images).outputs("")
    _check_finite(reference, "the float network")
    for slot, bits in track(order) if track else order:
        logits = None
        if bits != FLOAT_BITS:
            with fitted.placed(runner.net, slot, bits):
                logits = runner.outputs(fitted.sites[slot].path)
            _check_finite(logits, f"the network with {slot[0]} ({slot[1]}) in {bits} bits")
        for metric, todo in own.items():
            if (slot, bits) in todo:
                assert metric.score is not None
                score = metric.float_score
                if logits is not None:
                    score = metric.score(reference, logits, labels)
                note(metric, slot, bits, score)


def _by_errors(
    fitted: Fitted,
    tasks: Tasks,
    batches: Sequence[Batch],
    note: Note,
    track: Track | None,
    hessian: Mapping[str, Any] | None,
) -> None:
    for metric, todo in tasks.items():
        if metric.score is not None:
            continue
        for slot, bits in todo:
            if bits == FLOAT_BITS:
                note(metric, slot, bits, metric.float_score)
        rounded = [(slot, bits) for slot, bits in todo if bits != FLOAT_BITS]
        parts = [rounded] if rounded else []
        if metric.name == "hessian":  # minutes a slot; the others take one pass for all
            slots = dict.fromkeys(slot for slot, _ in rounded)
            parts = [[task for task in rounded if task[0] == slot] for slot in slots]
        for part in track(parts) if track and parts else parts:
            for found in perturbation_scores(metric.name, fitted, part, batches, hessian):
                note(metric, *found)


def _table(
    metric: Metric, digest: str, slots: Sequence[Slot], widths: Sequence[int], scores: Scores
) -> SensitivityTable:
    rows = (
        SensitivityRow(*slot, bits, scores[*slot, bits])
        for slot in slots
        for bits in widths
        if (*slot, bits) in scores
    )
    return SensitivityTable(metric.name, metric.unit, metric.higher_is_worse, digest, tuple(rows))


def _wanted(plan: Plan, slots: Sequence[str], layers: Sequence[str] | None) -> list[Slot]:
    unknown = [slot for slot in slots if slot not in SLOTS]
    if unknown or not slots:
        raise InputError(
            f"slots must be among {', '.join(SLOTS)}, got {', '.join(slots) or 'none'}"
        )
    names = plan.layers if layers is None else layers
    found = [slot for slot in slots_of(plan) if slot[0] in names and slot[1] in slots]
    if not found:
        raise InputError("there is nothing to try: the plan quantizes none of these tensors")
    return found


def _once(net: nn.Module, plan: Plan, slots: Sequence[Slot]) -> list[Slot]:
    """In placement ``integer``, a tensor that layers share is tried under the first alone."""
    if plan.placement != "integer":
        return list(slots)
    reads = tensors_read(net)
    readers: dict[str, str] = {}
    for layer, slot in slots_of(plan):
        if slot == "act":
            readers.setdefault(reads[layer], layer)
    return [slot for slot in slots if slot[1] == "weight" or slot[0] in readers.values()]


def _looked_at(metric: Metric, wanted: Sequence[Slot]) -> list[Slot]:
    found = [slot for slot in wanted if slot[1] in metric.slots]
    if not found:
        raise InputError(
            f"metric {metric.name} looks at {', '.join(metric.slots)} alone, which is not to be "
            "tried: add that slot, or take another metric"
        )
    return found


def _checked(batches: Iterable[Batch]) -> list[Batch]:
    found = [(images, labels) for images, labels in batches]
    if not found:
        raise InputError("there is nothing to measure on: got no batches")
    return found


def _scores(done: Mapping[str, Iterable[SensitivityRow]] | None, metric: Metric) -> Scores:
    rows = done.get(metric.name, ()) if done else ()
    return {(row.layer, row.slot, row.bits): row.score for row in rows}


def _check_finite(logits: Tensor, whose: str) -> None:
    if not bool(logits.isfinite().all()):
        raise InputError(
            f"{whose} gives logits that hold NaN or infinity: repair its weights or the images, or "
            "leave that width out"
        )
