"""Images in class folders, as torchvision's ``ImageFolder`` reads them.

The layout is ``DIR/train/CLASS/*.png``, ``DIR/test/CLASS/*.png`` and optionally ``DIR/val``.
Classes are numbered in the order of their names; every file below a class folder belongs to that
class. ``DIR/test`` alone is enough: with class folders, or with unlabelled images directly in it.
The data set has one channel if every file is grey, three (RGB) otherwise.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qat.base.plurals import counted
from qat.data.bundle import RawData
from qat.data.errors import DataError
from qat.data.in_memory import Fit
from qat.data.labels import NO_LABEL
from qat.data.request import DataRequest
from qat.data.resize import fitted_size
from qat.data.sources.file_index import facts_of
from qat.data.sources.file_walk import LeftOut, folders_of, image_paths, is_hidden
from qat.data.sources.folder_images import FolderImages, ImageFile
from qat.data.sources.image_file import ALPHA, CMYK, DEEP, FRAMES, GREY, TURNED, ImageFacts

PARTS = ("train", "test", "val")
LAYOUT = "DIR/train/CLASS/*.png and DIR/test/CLASS/*.png"
_NOTES = {
    TURNED: "turned as their EXIF orientation says",
    ALPHA: "with transparent pixels laid on white",
    DEEP: "of 16 bits a channel reduced to their high bytes",
    CMYK: "converted from CMYK to RGB without a colour profile",
    FRAMES: "of several frames: the first is taken",
}


@dataclass
class _Listing:
    """The files of a folder's parts, before any is opened."""

    paths: dict[str, list[tuple[Path, int]]] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)
    notes: list[str] = field(default_factory=list)


def load_folder(request: DataRequest) -> RawData:
    """Read the class folders in ``request.path``: every file is decoded once, no pixels are kept.

    Raises:
        DataError: If a folder, a class or images are missing, a file is damaged, or sizes differ
            and ``resize`` and ``crop`` do not make them equal.
    """
    if request.path is None:
        raise DataError(f"data=folder needs a folder: set data.path=DIR with {LAYOUT}")
    names = _class_names(request.path)
    listing = _Listing(notes=_other_folders(request.path))
    for part in PARTS:
        if (request.path / part).is_dir():
            listing.paths[part] = _part(request.path / part, names, listing)
    sets, conversions = file_sets(listing.paths, request, request.path)
    return RawData(
        sets.get("train"),
        sets["test"],
        sets.get("val"),
        len(names) or _requested_classes(request),
        notes=(*listing.notes, *listing.left_out.lines(), *conversions),
        class_names=tuple(names),
    )


def file_sets(
    parts: Mapping[str, list[tuple[Path, int]]], request: DataRequest, folder: Path
) -> tuple[dict[str, FolderImages], list[str]]:
    """Read the files of each part once; no pixels are kept.

    Args:
        parts: Name of a part → its files and their labels.
        request: Resize and crop, the place of the index, and the progress.
        folder: That has the files; it names the index.

    Returns:
        The images of each part, and notes on how files are converted.

    Raises:
        DataError: If a file is damaged, or sizes differ and ``resize`` and ``crop`` do not make
            them equal.
    """
    paths = [path for files in parts.values() for path, _ in files]
    facts = facts_of(paths, request.index(folder), request.track)
    every = [ImageFile(path, NO_LABEL, facts[path]) for path in paths]
    fitted = common_fit(every, (request.resize, request.crop))
    grey = all(file.facts.mode in GREY for file in every)
    sets = {
        part: FolderImages(tuple(ImageFile(p, k, facts[p]) for p, k in files), grey, fitted)
        for part, files in parts.items()
    }
    return sets, treatment_lines([*facts.values()])


def common_fit(files: list[ImageFile], requested: Fit) -> Fit:
    """The resize and crop that reading must apply so that all images have one size.

    Args:
        files: At least one.
        requested: Resize and crop of the preprocessing.

    Returns:
        ``(None, None)`` if all files have one size, ``requested`` otherwise.

    Raises:
        DataError: If sizes still differ after ``requested``.
    """
    other = _first_of_another_size(files, (None, None))
    if other is None:
        return None, None
    other = _first_of_another_size(files, requested)
    if other is None:
        return requested
    sizes = [f"{file.facts.height}x{file.facts.width}" for file in (files[0], other)]
    raise DataError(
        f"images differ in size: {files[0].path} is {sizes[0]}, {other.path} {sizes[1]}; set "
        "data.resize and data.crop, both to the side length you need"
    )


def treatment_lines(facts: list[ImageFacts]) -> list[str]:
    """How files were converted that are not plain 8-bit images of one kind, with counts."""
    counts = Counter(trait for file in facts for trait in file.traits)
    notes = [
        f"{counted(counts[trait], 'image', ',')} {what}"
        for trait, what in _NOTES.items()
        if counts[trait]
    ]
    grey = sum(file.mode in GREY for file in facts)
    if 0 < grey < len(facts):
        notes.append(
            f"{counted(grey, 'image', ',')} of {len(facts):,} grey, repeated in three channels"
        )
    return notes


def _class_names(folder: Path) -> list[str]:
    """Class folders of train, or of test if there is no train; empty for unlabelled images."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; arrange images as {LAYOUT}")
    if not (folder / "test").is_dir():
        raise DataError(
            f"{folder / 'test'}: no such folder; arrange images as {LAYOUT} (accuracy is "
            "measured on test: rename a val folder if it is your test set)"
        )
    if not (folder / "train").is_dir():
        return folders_of(folder / "test")
    names = folders_of(folder / "train")
    if not names:
        raise DataError(f"{folder / 'train'}: no class folder in it; arrange images as {LAYOUT}")
    return names


def _requested_classes(request: DataRequest) -> int:
    if request.classes is None:
        raise DataError(
            f"{request.path}: its images have no labels, so the number of classes is unknown; "
            "set data.classes to the number of the network's logits"
        )
    return request.classes


def _part(folder: Path, names: list[str], listing: _Listing) -> list[tuple[Path, int]]:
    """Image files of one part and their labels, by class."""
    if unknown := sorted(set(folders_of(folder)) - set(names)):
        raise DataError(
            f"{folder}: class {unknown[0]!r} is not in train, which has {', '.join(names[:5])}"
            f"{', ...' if len(names) > 5 else ''}; rename or remove the folder"
        )
    if not names:
        unlabelled = [(path, NO_LABEL) for path in image_paths(folder, listing.left_out)]
        if not unlabelled:
            raise DataError(f"{folder}: no image in it; arrange images as {LAYOUT}")
        return unlabelled
    stray = [p for p in folder.iterdir() if not p.is_dir() and not is_hidden(p.name)]
    if stray:
        files = counted(len(stray), "file", ",")
        listing.notes.append(
            f"{files} left out, in {folder.name}/ beside the class folders: "
            f"{min(path.name for path in stray)}{', ...' if len(stray) > 1 else ''}"
        )
    alone = folder.name == "test" and "train" not in listing.paths
    labelled = [
        (path, label)
        for label, name in enumerate(names)
        for path in _class_paths(folder / name, listing, may_be_empty=alone)
    ]
    if not labelled:
        raise DataError(f"{folder}: no image in its class folders; add images")
    return labelled


def _class_paths(folder: Path, listing: _Listing, may_be_empty: bool) -> list[Path]:
    left_out = LeftOut()
    paths = image_paths(folder, left_out) if folder.is_dir() else []
    if not paths and not may_be_empty:
        reasons = "".join(f" ({line})" for line in left_out.lines())
        raise DataError(
            f"{folder}: no image in it{reasons}, each class needs one in each part; add images of "
            "a format that Pillow reads, or remove the class everywhere"
        )
    listing.left_out += left_out
    return paths


def _other_folders(folder: Path) -> list[str]:
    others = [f"{name}/" for name in folders_of(folder) if name not in PARTS]
    if not others:
        return []
    return [f"not read: {', '.join(others[:5])} (the folders that are: {', '.join(PARTS)})"]


def _first_of_another_size(files: list[ImageFile], fit: Fit) -> ImageFile | None:
    """The first file whose size after ``fit`` differs from that of the first file."""
    size = fitted_size(*files[0].size, *fit)
    return next((file for file in files if fitted_size(*file.size, *fit) != size), None)
