"""Data sets of torchvision whose images are files of many sizes: listed by torchvision, read here.

torchvision's own classes download the files, find them and label them. The files are then read as
those of ``data=folder``: decoded into memory if they fit there, else batch by batch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from qat.base.plurals import counted
from qat.data.bundle import RawData
from qat.data.errors import DataError
from qat.data.labels import check_all_classes, check_labels
from qat.data.names import TORCHVISION_DATA, chosen_options
from qat.data.request import DataRequest
from qat.data.sources.download import damaged, data_folder, make_once
from qat.data.sources.folder import file_sets
from qat.data.sources.imagenet import MEAN, STD, imagenet_parts

Listing = list[tuple[Path, int]]
"""Files and their labels."""


@dataclass(frozen=True)
class FileSet:
    """Where a class of torchvision keeps the names of its files.

    Attributes:
        parts: Part of a data set here → its name in torchvision.
        files: Attribute with the paths, or with pairs of path and label.
        labels: Attribute with the labels; None if ``files`` has pairs.
    """

    parts: Mapping[str, str]
    files: str = "_image_files"
    labels: str | None = "_labels"


_TRAIN_TEST = {"train": "train", "test": "test"}
_WITH_VAL = {"train": "train", "val": "val", "test": "test"}
FILE_SETS: Mapping[str, FileSet] = {
    "Flowers102": FileSet(_WITH_VAL),
    "OxfordIIITPet": FileSet({"train": "trainval", "test": "test"}, files="_images"),
    "Food101": FileSet(_TRAIN_TEST),
    "DTD": FileSet(_WITH_VAL),
    "GTSRB": FileSet(_TRAIN_TEST, files="_samples", labels=None),
}
"""Class of torchvision → where it keeps the names of its files."""
_UNREADABLE = (RuntimeError, OSError, ValueError, KeyError, AttributeError, TypeError)


def load_torchvision_files(request: DataRequest) -> RawData:
    """Read the folder of a data set, which is downloaded first if it is missing.

    Raises:
        DataError: If the download fails, a file is missing or damaged, or sizes differ and
            ``resize`` and ``crop`` do not make them equal.
    """
    name = request.name
    folder = request.path or data_folder(name, _folder_name(name), request) / _folder_name(name)
    is_imagenet = name == "ImageNet"
    parts, names = imagenet_parts(folder) if is_imagenet else _listed(request, folder)
    classes = _classes(parts, names, str(folder))
    sets, notes = file_sets(parts, request, folder)
    mean, std = (MEAN, STD) if is_imagenet else (None, None)
    train, test, val = (sets.get(part) for part in ("train", "test", "val"))
    assert test is not None
    return RawData(train, test, val, classes, mean, std, tuple(notes), names)


def _folder_name(name: str) -> str:
    return TORCHVISION_DATA[name].folder or name


def _listed(request: DataRequest, folder: Path) -> tuple[dict[str, Listing], tuple[str, ...]]:
    """The files of each part, and the names of the classes."""
    name, entry = request.name, FILE_SETS[request.name]
    if folder.name != _folder_name(name):
        raise DataError(
            f"data.path={folder} must be the folder {_folder_name(name)} that torchvision makes "
            f"for {name}; rename it"
        )
    options = {k: int(v) for k, v in chosen_options(name, request.options).items()}
    if request.path is None:
        remedy = f"copy the folder {folder.name} of a machine where torchvision has downloaded it"
        make_once(name, folder, partial(_download, name, folder, options), remedy)
    try:
        sets = {
            part: _data_set(name)(str(folder.parent), split=split, **options)
            for part, split in entry.parts.items()
        }
        parts = {part: _pairs(data_set, entry) for part, data_set in sets.items()}
    except _UNREADABLE as error:
        raise damaged(name, str(folder), "the folder", error) from error
    _check_files(name, folder, parts)
    return parts, tuple(map(str, getattr(sets["train"], "classes", ())))


def _download(name: str, target: Path, options: Mapping[str, int], folder: Path) -> None:
    """Download into ``folder`` and move the complete folder to its place at once."""
    for split in FILE_SETS[name].parts.values():
        _data_set(name)(str(folder), split=split, download=True, **options)
    (folder / target.name).rename(target)


def _data_set(name: str) -> Callable[..., Any]:
    import torchvision.datasets  # slow to import, and needed by these data sets alone

    data_set: Callable[..., Any] = getattr(torchvision.datasets, name)
    return data_set


def _pairs(data_set: Any, entry: FileSet) -> Listing:
    files = getattr(data_set, entry.files)
    if entry.labels is None:
        return [(Path(path), int(label)) for path, label in files]
    labels = getattr(data_set, entry.labels)
    return [(Path(path), int(label)) for path, label in zip(files, labels, strict=True)]


def _check_files(name: str, folder: Path, parts: Mapping[str, Listing]) -> None:
    missing = [path for files in parts.values() for path, _ in files if not path.is_file()]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise DataError(
            f"{name}: {counted(len(missing), 'file', ',')} of {folder} {verb} missing, the first "
            f"is {missing[0]}; get the folder again"
        )


def _classes(parts: Mapping[str, Listing], names: tuple[str, ...], where: str) -> int:
    """The number of classes, after a check of the labels of each part."""
    if empty := [part for part, files in parts.items() if not files]:
        raise DataError(f"{where}: no image for {empty[0]}; get the folder again")
    labels = {part: torch.tensor([k for _, k in files]) for part, files in parts.items()}
    classes = len(names) or int(next(iter(labels.values())).max()) + 1
    for part, values in labels.items():
        check_labels(values, classes, f"{where}: {part}")
    if "train" in labels:
        check_all_classes(labels["train"], classes, f"{where}: train")
    return classes
