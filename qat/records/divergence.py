"""Trainings that diverged: their numbers are kept, with a warning.

A classifier that guesses has the loss ``ln(classes)`` and the accuracy ``1 / classes``. A training
that ends above that loss, or at that accuracy (at most two standard errors above it, for this
number of test images), has diverged. A loss that is NaN ends the run instead.
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
        trained: ``float`` and ``quantized``: those that the run trained or depends on.
        metrics: ``float_loss``, ``float_top1``, ``loss``, ``top1``; absent ones are not judged.
        classes: Number of classes of the data.
        images: Number of images in the test set.

    Example:
        >>> divergence(["float"], {"float_top1": 0.1, "float_loss": 2.2}, classes=10, images=1000)
        ['float training diverged: top-1 10.0% is that of chance among 10 classes']
    """
    lines = []
    for part in trained:
        prefix = "float_" if part == FLOAT else ""
        loss, top1 = metrics.get(f"{prefix}loss"), metrics.get(f"{prefix}top1")
        if reason := _reason(loss, top1, classes, images):
            lines.append(f"{part}{_DIVERGED}{reason}")
    return lines


def divergence_of(record: RunRecord) -> list[str]:
    """Those warnings of a record that are about trainings that diverged."""
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
