"""Trainings that diverged: their numbers stand, and a reader is told what they are.

A classifier that knows nothing has the loss ``ln(classes)`` and the accuracy ``1 / classes``. A
training that ends above that loss, or at that accuracy (within two standard errors of it over so
many test images), has diverged. A loss that is no number ends the run instead.
"""

from collections.abc import Iterable, Mapping
from math import log, sqrt

from qat.records.schema import RunRecord
from qat.records.warned import warnings_of

FLOAT, QUANTIZED = "float", "quantized"
_DIVERGED = " training diverged: "


def divergence(
    trained: Iterable[str], metrics: Mapping[str, float], classes: int, images: int
) -> list[str]:
    """A line for each training that diverged.

    Args:
        trained: ``float``, ``quantized``, as far as the run trained it or depends on it.
        metrics: ``float_loss``, ``float_top1``, ``loss``, ``top1``; one that is absent tells
            nothing.
        classes: Of the data.
        images: Of the test set.
    """
    lines = []
    for part in trained:
        prefix = "float_" if part == FLOAT else ""
        loss, top1 = metrics.get(f"{prefix}loss"), metrics.get(f"{prefix}top1")
        if reason := _reason(loss, top1, classes, images):
            lines.append(f"{part}{_DIVERGED}{reason}")
    return lines


def divergence_of(record: RunRecord) -> list[str]:
    """The lines that a record keeps of trainings that diverged."""
    return [line for line in warnings_of(record) if _DIVERGED in line]


def _reason(loss: float | None, top1: float | None, classes: int, images: int) -> str | None:
    if classes < 2 or images < 1:
        return None
    chance = 1 / classes
    error = sqrt(chance * (1 - chance) / images)
    if top1 is not None and top1 <= chance + 2 * error:
        return f"top-1 {top1:.1%} is that of chance among {classes} classes"
    if loss is not None and not loss <= log(classes):
        return f"loss {loss:.3g} is above that of chance, {log(classes):.3g}"
    return None
