"""A subset of Fashion-MNIST that comes with the package.

It has 5,000 training and 2,000 test images of 28x28 grey pixels, 10 classes.

Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747. Copyright 2017 Zalando SE, MIT licence (beside the file). Made by
``python -m qat.data.sources.make_fashion_mini``.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qat.data.bundle import RawData
from qat.data.errors import DataError
from qat.data.request import DataRequest
from qat.data.sources.npz import read_arrays, read_npz

FILE = Path(__file__).resolve().parents[1] / "files" / "fashion_mini.npz"
DIGEST = "b553968322ba0cad759f2e0ddaa41bac0199eaa5641c6d131688d83bfec3ba42"
CLASSES = 10
MEAN, STD = (0.2860,), (0.3530,)


def load_fashion_mini(request: DataRequest) -> RawData:
    """Load the embedded set, or the copy of its file that ``request.path`` names.

    Raises:
        DataError: If the file is damaged or its arrays are not the published ones.
    """
    path = request.path or FILE
    if (digest := arrays_digest(read_arrays(path))) != DIGEST:
        raise DataError(
            f"{path}: sha256 of the arrays is {digest[:12]}..., expected {DIGEST[:12]}...; install "
            "the package again, or make the file with python -m qat.data.sources.make_fashion_mini"
        )
    raw = read_npz(path, CLASSES)
    return RawData(raw.train, raw.test, None, CLASSES, MEAN, STD)


def arrays_digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Sha256 over name, type, shape and bytes of every array; compression does not matter."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        sha.update(array.data)
    return sha.hexdigest()
