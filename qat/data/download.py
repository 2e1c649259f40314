"""Named data sets: from ``ROOT/NAME.npz``, else through torchvision once, then from that file."""

import http.client
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock
from numpy.typing import NDArray

from qat.data.bundle import Request
from qat.data.errors import DataError
from qat.data.npz import LAYOUT, write_arrays

Fetch = Callable[[Path], dict[str, NDArray[Any]]]
"""Downloads into a folder and gives the arrays of the npz layout."""

_FETCH_ERRORS = (OSError, RuntimeError, EOFError, http.client.HTTPException, tarfile.TarError)


def named_file(name: str, request: Request, fetch: Fetch) -> Path:
    """The .npz file of a named data set, downloaded if need be.

    ``request.path`` names the file itself, else it is ``request.root / NAME.npz``. Parallel runs
    download once: the others wait at a lock beside the file.

    Args:
        name: Of the data set.
        request: Where to look.
        fetch: Downloads the arrays when there is no file.

    Raises:
        DataError: If there is no folder to look in, or the download or the writing fails.
    """
    if request.path is not None:
        return request.path
    if request.root is None:
        raise DataError(f"data={name} needs a folder for {name}.npz: set paths.data or QAT_DATA")
    target = request.root / f"{name}.npz"
    if not target.is_file():
        _download(name, target, fetch)
    return target


def _download(name: str, target: Path, fetch: Fetch) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{name}.lock")):
            if target.is_file():
                return
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as folder:
                write_arrays(target, fetch(Path(folder)))
    except _FETCH_ERRORS as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(
            f"{name}: {target} is not there and could not be downloaded ({reason}); "
            f"put the file there yourself, an .npz with {LAYOUT}, or set data.path to it"
        ) from error
