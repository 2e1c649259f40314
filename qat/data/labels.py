"""Whether labels and classes agree."""

from pathlib import Path

import torch
from torch import Tensor

from qat.data.errors import DataError


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
