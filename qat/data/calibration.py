"""Images to calibrate with: a few hundred, without labels, from a folder or a file of their own."""

from pathlib import Path

import torch

from qat.data.bundle import Track
from qat.data.errors import DataError
from qat.data.file_index import facts_of
from qat.data.file_walk import LeftOut, image_paths
from qat.data.folder import common_fit, treatment_lines
from qat.data.folder_images import FolderImages, ImageFile
from qat.data.in_memory import Fit, Images, ImageSet
from qat.data.labels import NO_LABEL, no_labels
from qat.data.npz import image_array, read_arrays
from qat.data.resize import fitted_size

ARRAYS = ("images", "train_images")


def load_calibration(
    path: Path,
    like: Images,
    fit: Fit,
    *,
    index: Path | None = None,
    track: Track = iter,
) -> tuple[Images, tuple[str, ...]]:
    """Images of a folder at any depth, or of an .npz file, to go through the data set's steps.

    Args:
        path: A folder of images or of class folders, whose names say nothing here; or an .npz
            with ``images`` or ``train_images``, uint8 ``[N,H,W,C]``.
        like: Images of the data set: these must come to the same channels and size.
        fit: Its resize and crop.
        index: Where facts of image files are kept.
        track: Shows progress.

    Returns:
        The images, without labels, and what is to be told of them.

    Raises:
        DataError: If there is nothing to read, a file is damaged, or sizes do not fit.
    """
    if path.is_dir():
        found, notes = _from_folder(path, like.image_shape[0] == 1, fit, index, track)
    elif path.is_file():
        found, notes = _from_file(path), ()
    else:
        raise DataError(f"calibrate.path={path}: no such folder or file; give a folder or an .npz")
    _check_alike(found, like, fit, path)
    return found, notes


def _from_folder(
    path: Path, grey: bool, fit: Fit, index: Path | None, track: Track
) -> tuple[Images, tuple[str, ...]]:
    left_out = LeftOut()
    paths = image_paths(path, left_out)
    if not paths:
        reasons = "".join(f" ({line})" for line in left_out.lines())
        raise DataError(f"calibrate.path={path}: no image in it{reasons}; add images")
    facts = facts_of(paths, index, track)
    files = [ImageFile(found, NO_LABEL, facts[found]) for found in paths]
    notes = (*left_out.lines(), *treatment_lines([*facts.values()]))
    return FolderImages(tuple(files), grey, common_fit(files, fit)), notes


def _from_file(path: Path) -> ImageSet:
    arrays = read_arrays(path)
    name = next((name for name in ARRAYS if name in arrays), None)
    if name is None:
        there = ", ".join(sorted(arrays)) or "none"
        raise DataError(
            f"calibrate.path={path}: its arrays are {there}; it needs images or train_images, "
            "uint8 [N,H,W,C]"
        )
    images = image_array(arrays[name], f"{path}: {name}")
    return ImageSet(images, no_labels(len(images)))


def _check_alike(found: Images, like: Images, fit: Fit, path: Path) -> None:
    """Raise DataError unless both reach the network with the same channels and size."""
    ours, theirs = (_as_seen(images, fit) for images in (found, like))
    if ours != theirs:
        raise DataError(
            f"calibrate.path={path}: images come to {_shape(ours)}, those of the data set to "
            f"{_shape(theirs)}; set data.resize and data.crop to make them alike, or give images "
            "of that shape"
        )


def _as_seen(images: Images, fit: Fit) -> torch.Size:
    channels, height, width = images.image_shape
    if images.fitted == (None, None):
        height, width = fitted_size(height, width, *fit)
    return torch.Size([channels, height, width])


def _shape(size: torch.Size) -> str:
    return "x".join(map(str, size)) + " (channels x height x width)"
