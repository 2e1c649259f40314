"""Data sets of torchvision whose images all have one size, converted once to one .npz file.

torchvision's own classes read the files in their published formats and compare them with their
published MD5s. Files that torchvision has downloaded into the data folder before are converted
without a download.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qat.data.bundle import RawData
from qat.data.names import chosen_options
from qat.data.request import DataRequest
from qat.data.sources.download import damaged, named_file
from qat.data.sources.npz import read_npz

_DAMAGED = (AssertionError, EOFError, IndexError, KeyError, OSError, TypeError, ValueError)
"""What torchvision raises for files that it finds and cannot read."""


@dataclass(frozen=True)
class ArraySet:
    """How a class of torchvision gives its arrays.

    Attributes:
        classes: Number of classes, by the part that ``data.options.split`` chooses; empty for
            classes without such parts.
        by_split: The class takes ``split="train"`` and not ``train=True``.
        channels_first: Its images are ``[N, C, H, W]``.
        first_label: Label of its first class, by part; 0 if absent.
    """

    classes: Mapping[str, int]
    by_split: bool = False
    channels_first: bool = False
    first_label: Mapping[str, int] | None = None


_PARTS_OF_EMNIST = {
    "balanced": 47,
    "byclass": 62,
    "bymerge": 47,
    "letters": 26,
    "digits": 10,
    "mnist": 10,
}
ARRAY_SETS: Mapping[str, ArraySet] = {
    "CIFAR100": ArraySet({"": 100}),
    "SVHN": ArraySet({"": 10}, by_split=True, channels_first=True),
    "MNIST": ArraySet({"": 10}),
    "KMNIST": ArraySet({"": 10}),
    "EMNIST": ArraySet(_PARTS_OF_EMNIST, first_label={"letters": 1}),
    "STL10": ArraySet({"": 10}, by_split=True, channels_first=True),
}
"""Class of torchvision → how it gives its arrays."""


def load_torchvision_arrays(request: DataRequest) -> RawData:
    """Read ``ROOT/NAME.npz``; a missing file is made by torchvision's class first.

    Raises:
        DataError: If the download fails, or a file is damaged or has other arrays.
    """
    options = chosen_options(request.name, request.options)
    stem = "-".join([request.name, *options.values()])
    path = named_file(stem, request, lambda folder: _fetched(request, options, folder))
    return read_npz(path, ARRAY_SETS[request.name].classes[options.get("split", "")])


def _fetched(
    request: DataRequest, options: Mapping[str, str], folder: Path
) -> dict[str, NDArray[Any]]:
    """The arrays from files that torchvision has in the data folder, else from a download."""
    try:
        return _arrays(request.name, options, request.root or folder, download=False)
    except RuntimeError:  # torchvision finds no files, or not all, or with another MD5
        return _arrays(request.name, options, folder, download=True)
    except _DAMAGED as error:
        raise damaged(request.name, f"its files in {request.root}", "them", error) from error


def _arrays(
    name: str, options: Mapping[str, str], folder: Path, *, download: bool
) -> dict[str, NDArray[Any]]:
    import torchvision.datasets  # slow to import, and needed once

    entry, arrays = ARRAY_SETS[name], {}
    first = (entry.first_label or {}).get(options.get("split", ""), 0)
    for part in ("train", "test"):
        which = {"split": part} if entry.by_split else {"train": part == "train", **options}
        data = getattr(torchvision.datasets, name)(str(folder), download=download, **which)
        images = np.asarray(data.data, dtype=np.uint8)
        labels = np.asarray(data.labels if hasattr(data, "labels") else data.targets)
        arrays[f"{part}_images"] = images.transpose(0, 2, 3, 1) if entry.channels_first else images
        arrays[f"{part}_labels"] = (labels - first).astype(np.uint8)
    return arrays
