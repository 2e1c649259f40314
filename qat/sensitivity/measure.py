"""How sensitive each layer is to quantization: one tensor is quantized at a time.

Example:
    >>> import torch
    >>> from torch import nn
    >>> from qat.convert.rules import make_plan
    >>> from qat.core.scheme import Scheme, TensorSpec
    >>> net = nn.Sequential(nn.Linear(2, 2, bias=False)).eval()
    >>> net[0].weight.data = torch.tensor([[1.0, 0.4], [0.0, 1.0]])
    >>> images, labels = torch.ones(1, 2), torch.tensor([0])
    >>> plan = make_plan(net, Scheme(TensorSpec(), TensorSpec(), first_last="same"), images)
    >>> tables = sensitivities(net, plan, [(images, labels)], ["weight_mse"], [2])
    >>> round(tables["weight_mse"].rows[0].score, 6)  # 0.4 is rounded to 0, so 0.4^2 / 4
    0.04
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn

from qat.base.errors import InputError
from qat.base.progress import Track
from qat.core.plan import Plan
from qat.sensitivity.cache_key import sensitivity_digest
from qat.sensitivity.groups import tensors_read
from qat.sensitivity.metrics import Metric
from qat.sensitivity.output_scores import add_output_scores
from qat.sensitivity.perturbation import add_perturbation_scores
from qat.sensitivity.prefix import MEMORY_LIMIT_BYTES
from qat.sensitivity.registry import metric_of
from qat.sensitivity.rounded_values import LabelledBatch
from qat.sensitivity.scores import MetricScores
from qat.sensitivity.single_quantizer import fit_quantizers
from qat.sensitivity.table import SensitivityRow, SensitivityTable
from qat.sensitivity.widths import SLOTS, Slot, check_layers, check_widths, slots_of

Keep = Callable[[str, SensitivityRow], None]
"""Called with the name of the metric and the row."""


def sensitivities(
    net: nn.Module,
    plan: Plan,
    batches: Iterable[LabelledBatch],
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

    Metrics that read the outputs share the runs. Layers before the changed one are not run again
    (:mod:`qat.sensitivity.prefix`); a network that cannot be traced is run whole each time.

    Args:
        net: The float network; it is left as it is.
        plan: Which layers are tried, and by which methods; its widths do not matter. Make it with
            ``first_last="same"`` to try the first and last layer as well.
        batches: ``(images, labels)`` to measure on, on the network's device.
        metrics: Names of :data:`qat.sensitivity.registry.METRICS`, or metrics of your own.
        widths: Candidates; 16 is fp16, 32 float.
        calibration: Batches to take ranges from; those of ``batches`` if None.
        slots: ``weight``, ``act`` or both.
        layers: Only these; all of the plan if None.
        done: Metric → rows that an earlier run kept. They are not computed again.
        keep: Called with ``(metric, row)`` as soon as a row is known.
        track: Wraps the list of runs to show progress.
        reuse: False runs the whole network each time: for comparison.
        memory_limit_bytes: How much of the activations before a layer may be kept.
        hessian: ``tolerance``, ``max_probes``, ``seed`` of the Hessian's traces.

    Returns:
        Metric → table.

    Raises:
        KeyError: If a metric or a layer is unknown.
        ValueError: If there is no width, metric, slot or batch, or a score is NaN.
    """
    chosen, candidates = _metrics(metrics), check_widths(widths, plan.placement)
    tried = _slots(net, plan, slots, layers)
    measured = _listed(batches)
    ranges = measured if calibration is None else list(calibration)
    digest = sensitivity_digest(net, plan, ranges, measured)
    scores = [_scores(metric, tried, candidates, done or {}, keep) for metric in chosen]
    if any(each.missing() for each in scores):
        fitted, limit = fit_quantizers(net, plan, candidates, ranges), memory_limit_bytes
        add_output_scores(
            fitted, scores, measured, track=track, reuse=reuse, memory_limit_bytes=limit
        )
        add_perturbation_scores(fitted, scores, measured, track=track, hessian=hessian)
    return {each.metric.name: each.table(digest) for each in scores}


def _metrics(metrics: Sequence[str | Metric]) -> list[Metric]:
    """Each metric once."""
    if not metrics:
        raise InputError("there is no sensitivity metric: give at least one")
    chosen = (metric_of(metric) if isinstance(metric, str) else metric for metric in metrics)
    return list(dict.fromkeys(chosen))


def _slots(
    net: nn.Module, plan: Plan, kinds: Sequence[str], layers: Sequence[str] | None
) -> list[Slot]:
    """The slots to try: of these kinds, in these layers."""
    check_layers(layers or (), list(plan.layers))
    unknown = [kind for kind in kinds if kind not in SLOTS]
    if unknown or not kinds:
        raise InputError(
            f"slots must be among {', '.join(SLOTS)}, got {', '.join(kinds) or 'none'}"
        )
    names = plan.layers if layers is None else layers
    slots = [slot for slot in slots_of(plan) if slot[0] in names and slot[1] in kinds]
    if not slots:
        raise InputError(
            "there is nothing to try: the plan quantizes none of these tensors; add layers or slots"
        )
    return each_tensor_once(net, plan, slots)


def each_tensor_once(net: nn.Module, plan: Plan, slots: list[Slot]) -> list[Slot]:
    """The slots to try: in ``integer``, a tensor that several layers read under the first only.

    Args:
        net: The float network.
        plan: Of the network.
        slots: Slots of the plan.
    """
    if plan.placement != "integer":
        return slots
    reads = tensors_read(net)
    readers: dict[str, str] = {}
    for layer, kind in slots_of(plan):
        if kind == "act":
            readers.setdefault(reads[layer], layer)
    return [slot for slot in slots if slot[1] == "weight" or slot[0] in readers.values()]


def _listed(batches: Iterable[LabelledBatch]) -> list[LabelledBatch]:
    listed = [(images, labels) for images, labels in batches]
    if not listed:
        raise InputError("there is nothing to measure on: got no batches")
    return listed


def _scores(
    metric: Metric,
    slots: Sequence[Slot],
    widths: Sequence[int],
    done: Mapping[str, Iterable[SensitivityRow]],
    keep: Keep | None,
) -> MetricScores:
    keep_row = partial(keep, metric.name) if keep else None
    return MetricScores(metric, slots, widths, done.get(metric.name, ()), keep_row)
