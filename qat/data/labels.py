"""Whether labels and classes agree, and images that have no label."""

from pathlib import Path

import torch
from torch import Tensor

from qat.data.errors import DataError

NO_LABEL = -1
"""What stands in the place of a label where images have none."""


def no_labels(count: int) -> Tensor:
    """The labels of ``count`` images that have none."""
    return torch.full((count,), NO_LABEL, dtype=torch.int64)


def is_labelled(labels: Tensor) -> bool:
    """Whether labels are classes; a set has one for each image or none at all."""
    return int(labels[0]) != NO_LABEL


def check_labels(labels: Tensor, classes: int, where: str | Path) -> None:
    """Raise DataError, naming ``where``, unless all labels are ``0..classes - 1``."""
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise DataError(
            f"{where}: label {low if low < 0 else high} is out of range, {classes} classes allow "
            f"0 to {classes - 1}; correct the label, or the number of classes"
        )


def check_all_classes(labels: Tensor, classes: int, where: str | Path) -> None:
    """Raise DataError, naming ``where``, unless each class ``0..classes - 1`` has an image."""
    counts = torch.bincount(labels, minlength=classes)
    missing = (counts == 0).nonzero().view(-1).tolist()
    if missing:
        some = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        raise DataError(
            f"{where}: {len(missing)} of {classes} classes have no image ({some}); each class from "
            "0 to the highest needs one: add images, or number the classes without gaps"
        )
