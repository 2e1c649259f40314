"""The .npz layout of data sets: one file with arrays of images and labels.

The arrays are ``train_images`` uint8 ``[N, H, W, C]`` (grey images may be ``[N, H, W]``),
``train_labels`` integer ``[N]``, ``test_images``, ``test_labels``, and optionally ``val_images``
and ``val_labels``. A file may have only the test part, with labels or without. Files are loaded as
data: pickled objects are refused.
"""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qat.base.atomic import atomic_path
from qat.data.bundle import RawData
from qat.data.errors import DataError
from qat.data.in_memory import ImageSet
from qat.data.labels import check_all_classes, check_labels, no_labels
from qat.data.request import DataRequest

LAYOUT = "train_images uint8 [N,H,W,C], train_labels [N], test_images, test_labels"
MAX_CHANNELS = 4
_ARRAYS = frozenset(
    f"{part}_{what}" for part in ("train", "test", "val") for what in ("images", "labels")
)
# RuntimeError: a damaged header may claim encryption or an unknown compression
_READ_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    MemoryError,
    zlib.error,
    zipfile.BadZipFile,
)


def load_npz(request: DataRequest) -> RawData:
    """Load the data set in ``request.path``, with ``request.classes`` classes or those it has.

    Raises:
        DataError: If no path is set, the file is missing or damaged, or an array is missing or
            invalid.
    """
    if request.path is None:
        raise DataError("data=npz needs a file: set data.path=FILE.npz")
    return read_npz(request.path, request.classes)


def read_npz(path: Path, classes: int | None = None) -> RawData:
    """Read and check a file of the layout above.

    Args:
        path: The file.
        classes: Number of classes; None takes the highest training label plus one.

    Raises:
        DataError: If the file is missing or damaged, or an array is missing or invalid.
    """
    return raw_data(read_arrays(path), str(path), classes)


def raw_data(arrays: Mapping[str, NDArray[Any]], where: str, classes: int | None = None) -> RawData:
    """Check arrays of the layout above and make image sets of them.

    Args:
        arrays: By name.
        where: File or function that they come from, for messages.
        classes: Number of classes; None takes the highest training label plus one.

    Raises:
        DataError: If an array is missing or invalid.

    Example:
        >>> pixels, labels = np.zeros((4, 8, 8, 3), np.uint8), np.array([0, 1, 0, 1])
        >>> parts = {"train_images": pixels, "train_labels": labels}
        >>> raw = raw_data(parts | {"test_images": pixels, "test_labels": labels}, "my arrays")
        >>> raw.classes, raw.train.image_shape
        (2, (3, 8, 8))
    """
    if not any(name.startswith(("train_", "val_")) for name in arrays) and "test_images" in arrays:
        return _test_alone(arrays, where, classes)
    train = _image_set(arrays, "train", where)
    classes = classes or int(train.labels.max()) + 1
    check_labels(train.labels, classes, f"{where}: train_labels")
    check_all_classes(train.labels, classes, f"{where}: train_labels")
    other_parts = {
        part: _image_set(arrays, part, where)
        for part in ("test", "val")
        if part == "test" or f"{part}_images" in arrays or f"{part}_labels" in arrays
    }
    for part, images in other_parts.items():
        check_labels(images.labels, classes, f"{where}: {part}_labels")
        if images.image_shape != train.image_shape:
            raise DataError(
                f"{where}: {part}_images have shape {list(images.image_shape)} (C, H, W), "
                f"train_images {list(train.image_shape)}; give all parts one shape"
            )
    notes = tuple(f"array {name} is not read" for name in sorted(arrays.keys() - _ARRAYS))
    return RawData(train, other_parts["test"], other_parts.get("val"), classes, notes=notes)


def _test_alone(arrays: Mapping[str, NDArray[Any]], where: str, classes: int | None) -> RawData:
    """A data set with only a test part, perhaps without labels."""
    images = image_array(arrays["test_images"], f"{where}: test_images")
    if "test_labels" in arrays:
        test = _image_set(arrays, "test", where)
        classes = classes or int(test.labels.max()) + 1
        check_labels(test.labels, classes, f"{where}: test_labels")
    else:
        test = ImageSet(images, no_labels(len(images)))
    if classes is None:
        raise DataError(
            f"{where}: there are no labels, so the number of classes is unknown; set data.classes "
            "to the number of the network's logits"
        )
    notes = tuple(f"array {name} is not read" for name in sorted(arrays.keys() - _ARRAYS))
    return RawData(None, test, None, classes, notes=notes)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of an .npz file, by name.

    Raises:
        DataError: If the file is missing, damaged, no .npz, or holds pickled objects.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; put an .npz there with {LAYOUT}")
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise DataError(f"{path}: one array, not an .npz archive; write it with np.savez")
            return {name: archive[name] for name in archive.files}
    except DataError:
        raise
    except _READ_ERRORS as error:
        raise DataError(
            f"{path}: not a readable .npz of plain arrays, damaged or truncated "
            f"({_reason(error)}); get or write it again with np.savez, no pickled objects"
        ) from error


def _reason(error: BaseException) -> str:
    """Why a file cannot be read, without numpy's advice to load it unsafely."""
    text = _one_line(error)
    if "pickled (object) data" in text:
        return "it does not begin as an .npz file does"
    return "an array has Python objects" if "allow_pickle" in text else text


def write_arrays(path: Path, arrays: Mapping[str, Any], compress: bool = False) -> None:
    """Write an .npz file atomically.

    Args:
        path: Of the file.
        arrays: By name.
        compress: Compress each array with zlib.

    Raises:
        DataError: If the disk is full or the folder cannot be written; nothing is left behind.
    """
    save = np.savez_compressed if compress else np.savez
    try:
        with atomic_path(path) as written, written.open("wb") as file:
            save(file, **arrays)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({_one_line(error)}); free space, or choose another folder"
        ) from error


def _image_set(arrays: Mapping[str, NDArray[Any]], part: str, where: str) -> ImageSet:
    for name in (f"{part}_images", f"{part}_labels"):
        if name not in arrays:
            array_names = ", ".join(sorted(arrays)) or "none"
            raise DataError(
                f"{where}: array {name} is missing, found {array_names}; it needs {LAYOUT}, or "
                "only the test part (set calibrate.path for calibration images)"
            )
    images = image_array(arrays[f"{part}_images"], f"{where}: {part}_images")
    labels = _labels(arrays[f"{part}_labels"], f"{where}: {part}_labels")
    if len(images) != len(labels):
        raise DataError(
            f"{where}: {len(images)} {part}_images but {len(labels)} {part}_labels; "
            "give one label per image"
        )
    return ImageSet(images, labels)


def image_array(array: NDArray[Any], where: str) -> Tensor:
    """Images of the npz layout as a tensor ``[N, C, H, W]``.

    Args:
        array: uint8 ``[N, H, W]`` or ``[N, H, W, C]``.
        where: File and name of the array, for messages.

    Raises:
        DataError: If type or shape is wrong, or an axis is empty.

    Example:
        >>> image_array(np.zeros((2, 5, 6, 3), np.uint8), "data.npz: test_images").shape
        torch.Size([2, 3, 5, 6])
    """
    if array.dtype != np.uint8:
        nan = " with NaN" if array.dtype.kind == "f" and bool(np.isnan(array).any()) else ""
        raise DataError(
            f"{where} must be uint8, got {array.dtype}{nan}; scale to 0..255, round, and cast"
        )
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or 0 in array.shape or array.shape[-1] > MAX_CHANNELS:
        raise DataError(
            f"{where} must be [N,H,W] or [N,H,W,C] with 1 to {MAX_CHANNELS} channels last and no "
            f"empty axis, got shape {list(array.shape)}; transpose or fill it"
        )
    return torch.from_numpy(np.ascontiguousarray(array)).permute(0, 3, 1, 2).contiguous()


def _labels(array: NDArray[Any], where: str) -> Tensor:
    if array.dtype.kind not in "iu" or array.ndim != 1:
        nan = " with NaN" if array.dtype.kind == "f" and bool(np.isnan(array).any()) else ""
        raise DataError(
            f"{where} must be integers [N], got {array.dtype}{nan} {list(array.shape)}; "
            "give one class number per image"
        )
    if array.size and (int(array.min()) < 0 or int(array.max()) > np.iinfo(np.int32).max):
        raise DataError(
            f"{where}: labels {array.min()} to {array.max()} are out of range; "
            "number the classes from 0"
        )
    return torch.from_numpy(array.astype(np.int64))


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
