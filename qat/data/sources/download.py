"""Files of the named data sets, downloaded once if they are missing."""

import http.client
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from qat.data.errors import DataError
from qat.data.request import DataRequest
from qat.data.sources.npz import LAYOUT, write_arrays

Fetch = Callable[[Path], dict[str, NDArray[Any]]]
"""Downloads into a folder and returns the arrays of the npz layout."""

Download = Callable[..., Any]
"""A data set class of torchvision that can be downloaded: ``(folder, train=, download=)``."""

_FETCH_ERRORS = (
    OSError,
    RuntimeError,
    EOFError,
    http.client.HTTPException,
    tarfile.TarError,
    zipfile.BadZipFile,
)


def damaged(name: str, what: str, files: str, error: Exception) -> DataError:
    """The error for files that torchvision has made and cannot read.

    Args:
        name: Of the data set.
        what: The files, with their folder.
        files: What the user removes, such as ``the folder``.
        error: What torchvision says.

    Example:
        >>> print(damaged("DTD", "data/dtd", "the folder", OSError("cut")))
        DTD: torchvision cannot read data/dtd (OSError: cut); remove the folder to download it again
    """
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(
        f"{name}: torchvision cannot read {what} ({reason}); remove {files} to download it again"
    )


def named_file(name: str, request: DataRequest, fetch: Fetch) -> Path:
    """The .npz file of a named data set, downloaded if it is missing.

    The file is ``request.path`` if that is set, else ``request.root / NAME.npz``.

    Args:
        name: Of the file, without its suffix.
        request: Names the file or the folder.
        fetch: Downloads the arrays if there is no file.

    Raises:
        DataError: If there is no folder to look in, or the download or the writing fails.
    """
    if request.path is not None:
        return request.path
    target = data_folder(name, f"{name}.npz", request) / f"{name}.npz"

    def make(folder: Path) -> None:
        write_arrays(target, fetch(folder))

    remedy = f"put the file there yourself, an .npz with {LAYOUT}, or set data.path to it"
    make_once(name, target, make, remedy)
    return target


def data_folder(name: str, what: str, request: DataRequest) -> Path:
    """The folder of the named data sets.

    Args:
        name: Of the data set, for the message.
        what: The file or folder that is looked for there, for the message.
        request: Names the folder.

    Raises:
        DataError: If it names none.
    """
    if request.root is None:
        raise DataError(f"data={name} needs a folder for {what}: set paths.data or QAT_DATA")
    return request.root


def make_once(name: str, target: Path, make: Callable[[Path], None], remedy: str) -> None:
    """Make a file or folder unless it exists.

    Of parallel runs one makes it; the others wait for a lock beside it.

    Args:
        name: Of the data set.
        target: The file or folder.
        make: Downloads into a new folder beside ``target``, which is deleted afterwards, and makes
            ``target`` from it in one step.
        remedy: What the user can do if that fails.

    Raises:
        DataError: If the download or the writing fails.
    """
    if target.exists():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{name}.lock")):
            if target.exists():
                return
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as folder:
                make(Path(folder))
    except _FETCH_ERRORS as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(
            f"{name}: {target} does not exist and could not be downloaded ({reason}); {remedy}"
        ) from error


def torchvision_arrays(data_set: Download, folder: Path) -> dict[str, NDArray[Any]]:
    """Download both parts of a data set of torchvision, which compares them with published MD5s.

    Args:
        data_set: The class, with ``data`` and ``targets``.
        folder: Where torchvision puts the download.

    Returns:
        The arrays of the npz layout, uint8.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for part in ("train", "test"):
        data = data_set(str(folder), train=part == "train", download=True)
        arrays[f"{part}_images"] = np.asarray(data.data, dtype=np.uint8)
        arrays[f"{part}_labels"] = np.asarray(data.targets, dtype=np.uint8)
    return arrays
