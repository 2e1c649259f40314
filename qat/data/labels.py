"""Checks of labels against the number of classes, and the label of unlabelled images."""

from pathlib import Path

import torch
from torch import Tensor

from qat.data.errors import DataError

NO_LABEL = -1
"""The label of every image of an unlabelled set."""


def no_labels(count: int) -> Tensor:
    """Labels ``[count]`` of unlabelled images, all ``NO_LABEL``."""
    return torch.full((count,), NO_LABEL, dtype=torch.int64)


def is_labelled(labels: Tensor) -> bool:
    """Whether labels are classes: a set has one for each image or none at all."""
    return int(labels[0]) != NO_LABEL


def check_labels(labels: Tensor, classes: int, where: str | Path) -> None:
    """Check that all labels are in ``0..classes - 1``.

    Args:
        labels: int64 ``[N]``.
        classes: Number of classes.
        where: File or array that the labels come from, for the message.

    Raises:
        DataError: If a label is out of range.

    Example:
        >>> check_labels(torch.tensor([0, 3]), 3, "data.npz: test_labels")
        Traceback (most recent call last):
        ...
        qat.data.errors.DataError: data.npz: test_labels: label 3 is out of range, ...
    """
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise DataError(
            f"{where}: label {low if low < 0 else high} is out of range, {classes} classes allow "
            f"0 to {classes - 1}; correct the label, or the number of classes"
        )


def check_all_classes(labels: Tensor, classes: int, where: str | Path) -> None:
    """Check that each class ``0..classes - 1`` has an image.

    Args:
        labels: int64 ``[N]``, each in ``0..classes - 1``.
        classes: Number of classes.
        where: File or array that the labels come from, for the message.

    Raises:
        DataError: If a class has no image; the message names up to five such classes.
    """
    counts = torch.bincount(labels, minlength=classes)
    missing = (counts == 0).nonzero().view(-1).tolist()
    if missing:
        some = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        raise DataError(
            f"{where}: {len(missing)} of {classes} classes have no image ({some}); each class from "
            "0 to the highest needs one: add images, or number the classes without gaps"
        )
