"""Scores of a tensor by its own rounding error, and by what the loss thinks of it.

With the error ``d = Q(x) - x`` of a weight, or of a layer's input for each image, and the gradient
``g`` of the mean loss (of an input: of its own image's loss):

    weight_mse   mean d^2                     of weights alone: it has their unit
    gradient     | sum g d |                  first order of the change of the loss
    fisher       1/2 sum F d^2                second order, with the Fisher information F = E[g^2]
                                              for the Hessian's diagonal
    hessian      tr(H) / n * sum d^2          HAWQ-V2 (arXiv:1911.03852), n elements

Sums run over the elements of a weight, or of one image's input, and are averaged over images.
Fisher and gradient take one backward pass over the images. The Fisher information of a weight
is estimated from whole batches of B images, ``F = mean B g^2``: the gradients of single images
are taken to be independent with zero mean, as they are at an optimum.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from qat.sensitivity.hessian import hessian_trace
from qat.sensitivity.rounded_values import Batch, inputs_of, slot_tensors, weight_of
from qat.sensitivity.single_quantizer import Fitted
from qat.sensitivity.widths import Slot


def perturbation_scores(
    metric: str,
    fitted: Fitted,
    tasks: Iterable[tuple[Slot, int]],
    batches: Sequence[Batch],
    hessian: Mapping[str, Any] | None = None,
) -> Iterator[tuple[Slot, int, float]]:
    """``(slot, bits, score)`` by one of these metrics, as they get known.

    Args:
        metric: One of ``weight_mse``, ``gradient``, ``fisher``, ``hessian``.
        fitted: Host and quantizers.
        tasks: ``(slot, bits)`` to score, those of float left out.
        batches: ``(images, labels)``.
        hessian: Options of :func:`qat.sensitivity.hessian.hessian_trace`.
    """
    widths: dict[Slot, list[int]] = {}
    for slot, bits in tasks:
        widths.setdefault(slot, []).append(bits)
    if metric in ("gradient", "fisher"):
        found = _by_gradient(metric, fitted, widths, batches)
        for (layer, kind, bits), score in found.items():
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
    fitted: Fitted, widths: Mapping[Slot, Sequence[int]], batches: Sequence[Batch]
) -> dict[tuple[str, str, int], tuple[float, float]]:
    """``sum d^2`` and number of elements, of a weight or of the mean image's input."""
    images = sum(len(labels) for _, labels in batches)
    found: dict[tuple[str, str, int], tuple[float, float]] = {}

    def add(slot: Slot, value: Tensor, share: float) -> None:
        for bits in widths[slot]:
            error = fitted.quantizers[*slot, bits](value) - value
            before = found.get((*slot, bits), (0.0, 0.0))
            total = float(error.double().square().sum())
            found[*slot, bits] = before[0] + total * share, before[1] + value.numel() * share

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
    return found


def _by_gradient(
    metric: str, fitted: Fitted, widths: Mapping[Slot, Sequence[int]], batches: Sequence[Batch]
) -> dict[tuple[str, str, int], float]:
    slots = list(widths)
    images = sum(len(labels) for _, labels in batches)
    weights = {slot: weight_of(fitted, slot) for slot in slots if slot[1] == "weight"}
    moments = {slot: torch.zeros_like(weight) for slot, weight in weights.items()}
    found = {(*slot, bits): 0.0 for slot in slots for bits in widths[slot]}
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
                    found[*slot, bits] += _order(metric, fitted, slot, bits, tensor, g) / images
    for slot, moment in moments.items():
        given = moment / images if metric == "gradient" else moment.sqrt()
        for bits in widths[slot]:
            found[*slot, bits] = _order(metric, fitted, slot, bits, weights[slot], given)
    return {key: abs(score) for key, score in found.items()}


@torch.no_grad()
def _order(metric: str, fitted: Fitted, slot: Slot, bits: int, x: Tensor, g: Tensor) -> float:
    """First or second order of the loss's change, summed over a tensor."""
    change = g.double() * (fitted.quantizers[*slot, bits](x) - x).double()
    return float(change.sum() if metric == "gradient" else change.square().sum() / 2)
