"""Images for calibration: a few hundred, without labels, from a separate folder or file."""

from pathlib import Path

import torch

from qat.base.progress import Track
from qat.data.errors import DataError
from qat.data.in_memory import Fit, Images, ImageSet
from qat.data.labels import NO_LABEL, no_labels
from qat.data.resize import fitted_size
from qat.data.sources.file_index import facts_of
from qat.data.sources.file_walk import LeftOut, image_paths
from qat.data.sources.folder import common_fit, treatment_lines
from qat.data.sources.folder_images import FolderImages, ImageFile
from qat.data.sources.npz import image_array, read_arrays

ARRAYS = ("images", "train_images")


def load_calibration(
    path: Path,
    like: Images,
    fit: Fit,
    *,
    index: Path | None = None,
    track: Track = iter,
) -> tuple[Images, tuple[str, ...]]:
    """Load calibration images from a folder, at any depth, or from an .npz file.

    They pass through the same preprocessing as the data set.

    Args:
        path: A folder of images or of class folders (their names are ignored), or an .npz file
            with ``images`` or ``train_images``, uint8 ``[N, H, W, C]``.
        like: Images of the data set; the calibration images must have their channels and size.
        fit: Resize and crop of the data set.
        index: File that keeps facts of image files between runs; None keeps nothing.
        track: Shows progress.

    Returns:
        The images, without labels, and notes on how they were read.

    Raises:
        DataError: If there is nothing to read, a file is damaged, or the shapes differ.
    """
    if path.is_dir():
        images, notes = _from_folder(path, like.image_shape[0] == 1, fit, index, track)
    elif path.is_file():
        images, notes = _from_file(path), ()
    else:
        raise DataError(f"calibrate.path={path}: no such folder or file; give a folder or an .npz")
    _check_same_shape(images, like, fit, path)
    return images, notes


def _from_folder(
    path: Path, grey: bool, fit: Fit, index: Path | None, track: Track
) -> tuple[Images, tuple[str, ...]]:
    left_out = LeftOut()
    paths = image_paths(path, left_out)
    if not paths:
        reasons = "".join(f" ({line})" for line in left_out.lines())
        raise DataError(f"calibrate.path={path}: no image in it{reasons}; add images")
    facts = facts_of(paths, index, track)
    files = [ImageFile(file, NO_LABEL, facts[file]) for file in paths]
    notes = (*left_out.lines(), *treatment_lines([*facts.values()]))
    return FolderImages(tuple(files), grey, common_fit(files, fit)), notes


def _from_file(path: Path) -> ImageSet:
    arrays = read_arrays(path)
    name = next((name for name in ARRAYS if name in arrays), None)
    if name is None:
        array_names = ", ".join(sorted(arrays)) or "none"
        raise DataError(
            f"calibrate.path={path}: its arrays are {array_names}; it needs images or "
            "train_images, uint8 [N,H,W,C]"
        )
    images = image_array(arrays[name], f"{path}: {name}")
    return ImageSet(images, no_labels(len(images)))


def _check_same_shape(images: Images, like: Images, fit: Fit, path: Path) -> None:
    """Raise DataError unless both reach the network with the same channels and size."""
    shape, expected = (_network_shape(each, fit) for each in (images, like))
    if shape != expected:
        raise DataError(
            f"calibrate.path={path}: after data.resize and data.crop images are "
            f"{_shape_text(shape)}, those of the data set are {_shape_text(expected)}; change "
            "data.resize and data.crop so that both agree, or give images of that shape"
        )


def _network_shape(images: Images, fit: Fit) -> torch.Size:
    """Shape of one image as the network sees it."""
    channels, height, width = images.image_shape
    if images.fitted == (None, None):
        height, width = fitted_size(height, width, *fit)
    return torch.Size([channels, height, width])


def _shape_text(size: torch.Size) -> str:
    return "x".join(map(str, size)) + " (channels x height x width)"
