"""Scores of a tensor by its own rounding error, and by how much the loss depends on it.

With the error ``d = Q(x) - x`` of a weight, or of a layer's input for each image, and the gradient
``g`` of the mean loss (of an input: of its own image's loss):

    weight_mse   mean d^2                     of weights only: it has their unit
    gradient     | sum g d |                  first order of the change of the loss
    fisher       1/2 sum F d^2                second order, with the Fisher information F = E[g^2]
                                              for the Hessian's diagonal
    hessian      tr(H) / n * sum d^2          HAWQ-V2 (arXiv:1911.03852), n elements

Sums run over the elements of a weight, or of one image's input, and are averaged over images.
Fisher and gradient take one backward pass over the images. The Fisher information of a weight
is estimated from whole batches of B images, ``F = mean B g^2``: the gradients of single images
are taken to be independent with zero mean, as they are at an optimum.

Cites: dong2020hawqv2.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from qat.base.progress import Track
from qat.sensitivity.hessian import hessian_trace
from qat.sensitivity.rounded_values import LabelledBatch, inputs_of, slot_tensors, weight_of
from qat.sensitivity.scores import MetricScores, Task
from qat.sensitivity.single_quantizer import Fitted
from qat.sensitivity.widths import FLOAT_BITS, Slot


def add_perturbation_scores(
    fitted: Fitted,
    scores: Iterable[MetricScores],
    batches: Sequence[LabelledBatch],
    *,
    track: Track | None = None,
    hessian: Mapping[str, Any] | None = None,
) -> None:
    """Measure the missing scores of these metrics; those that read the outputs are skipped.

    Args:
        fitted: Host and quantizers.
        scores: Scores of each metric; the new ones are added to them.
        batches: ``(images, labels)``.
        track: Wraps the list of passes to show progress.
        hessian: Options of :func:`qat.sensitivity.hessian.hessian_trace`.

    Raises:
        ValueError: If a score is NaN, or the Hessian's loss is not finite.
    """
    for each in scores:
        metric = each.metric
        if metric.score is not None:
            continue
        missing = each.missing()
        for slot, bits in missing:
            if bits == FLOAT_BITS:
                each.add(slot, bits, metric.float_score)
        passes = _passes(metric.name, [task for task in missing if task[1] != FLOAT_BITS])
        for tasks in track(passes) if track and passes else passes:
            for slot, bits, score in perturbation_scores(
                metric.name, fitted, tasks, batches, hessian
            ):
                each.add(slot, bits, score)


def _passes(metric: str, tasks: list[Task]) -> list[list[Task]]:
    """Tasks that are scored in one pass over the images."""
    if metric != "hessian":  # which takes minutes for one slot
        return [tasks] if tasks else []
    slots = dict.fromkeys(slot for slot, _ in tasks)
    return [[task for task in tasks if task[0] == slot] for slot in slots]


def perturbation_scores(
    metric: str,
    fitted: Fitted,
    tasks: Iterable[Task],
    batches: Sequence[LabelledBatch],
    hessian: Mapping[str, Any] | None = None,
) -> Iterator[tuple[Slot, int, float]]:
    """``(slot, bits, score)`` by one of these metrics, each as soon as it is known.

    Args:
        metric: One of ``weight_mse``, ``gradient``, ``fisher``, ``hessian``.
        fitted: Host and quantizers.
        tasks: ``(slot, bits)`` to score, none of them float.
        batches: ``(images, labels)``.
        hessian: Options of :func:`qat.sensitivity.hessian.hessian_trace`.

    Raises:
        ValueError: If the Hessian's loss is not finite.
    """
    widths: dict[Slot, list[int]] = {}
    for slot, bits in tasks:
        widths.setdefault(slot, []).append(bits)
    if metric in ("gradient", "fisher"):
        scores = _by_gradient(metric, fitted, widths, batches)
        for (layer, kind, bits), score in scores.items():
            yield (layer, kind), bits, score
        return
    errors = _squared_errors(fitted, widths, batches)
    for slot, own in widths.items():
        weight = 1.0
        if metric == "hessian":
            weight = hessian_trace(fitted, slot, batches, **(hessian or {})).mean
        for bits in own:
            total, elements = errors[*slot, bits]
            yield slot, bits, weight * total if metric == "hessian" else total / elements


@torch.no_grad()
def _squared_errors(
    fitted: Fitted, widths: Mapping[Slot, Sequence[int]], batches: Sequence[LabelledBatch]
) -> dict[tuple[str, str, int], tuple[float, float]]:
    """``sum d^2`` and number of elements, of a weight or of the mean image's input."""
    images = sum(len(labels) for _, labels in batches)
    sums: dict[tuple[str, str, int], tuple[float, float]] = {}

    def add(slot: Slot, value: Tensor, share: float) -> None:
        for bits in widths[slot]:
            error = fitted.quantizers[*slot, bits](value) - value
            before = sums.get((*slot, bits), (0.0, 0.0))
            total = float(error.double().square().sum())
            sums[*slot, bits] = before[0] + total * share, before[1] + value.numel() * share

    paths = {slot: fitted.sites[slot].path for slot in widths if slot[1] == "act"}
    for slot in widths:
        if slot[1] == "weight":
            add(slot, weight_of(fitted, slot), 1)
    for batch, _ in batches if paths else ():
        with inputs_of(fitted.host, list(paths.values()), differentiable=False) as inputs:
            fitted.host(batch)
        for slot, path in paths.items():
            for value in inputs[path]:
                add(slot, value, 1 / images)
    return sums


def _by_gradient(
    metric: str,
    fitted: Fitted,
    widths: Mapping[Slot, Sequence[int]],
    batches: Sequence[LabelledBatch],
) -> dict[tuple[str, str, int], float]:
    slots = list(widths)
    images = sum(len(labels) for _, labels in batches)
    weights = {slot: weight_of(fitted, slot) for slot in slots if slot[1] == "weight"}
    moments = {slot: torch.zeros_like(weight) for slot, weight in weights.items()}
    scores = {(*slot, bits): 0.0 for slot in slots for bits in widths[slot]}
    for batch in batches:
        loss, tensors = slot_tensors(fitted, slots, batch)
        flat = [tensor for slot in slots for tensor in tensors[slot]]
        gradients = iter(torch.autograd.grad(loss, flat, materialize_grads=True))
        for slot in slots:
            for tensor in tensors[slot]:
                g = next(gradients)
                if slot in moments:  # g is the sum of B gradients: B (g / B)^2 for each image
                    moments[slot] += g if metric == "gradient" else g.square() / images
                    continue
                for bits in widths[slot]:
                    scores[*slot, bits] += _order(metric, fitted, slot, bits, tensor, g) / images
    for slot, moment in moments.items():
        gradient = moment / images if metric == "gradient" else moment.sqrt()
        for bits in widths[slot]:
            scores[*slot, bits] = _order(metric, fitted, slot, bits, weights[slot], gradient)
    return {key: abs(score) for key, score in scores.items()}


@torch.no_grad()
def _order(metric: str, fitted: Fitted, slot: Slot, bits: int, x: Tensor, g: Tensor) -> float:
    """First or second order of the loss's change, summed over a tensor."""
    change = g.double() * (fitted.quantizers[*slot, bits](x) - x).double()
    return float(change.sum() if metric == "gradient" else change.square().sum() / 2)
