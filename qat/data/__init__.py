"""Data sets as uint8 tensors in memory; batches that depend on (seed, epoch, batch) alone.

Names are imported where they are first used, so that the list of data sets loads no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qat.data.augment import Augment
    from qat.data.batches import Batches
    from qat.data.bundle import DataBundle
    from qat.data.errors import DataError
    from qat.data.in_memory import Images, ImageSet
    from qat.data.load import load_data
    from qat.data.names import DATA_NAMES
    from qat.data.preprocess import Preprocess
    from qat.data.request import DataRequest

_HOMES = {
    "DATA_NAMES": "qat.data.names",
    "Augment": "qat.data.augment",
    "Batches": "qat.data.batches",
    "DataBundle": "qat.data.bundle",
    "DataError": "qat.data.errors",
    "DataRequest": "qat.data.request",
    "ImageSet": "qat.data.in_memory",
    "Images": "qat.data.in_memory",
    "Preprocess": "qat.data.preprocess",
    "load_data": "qat.data.load",
}

__all__ = [
    "DATA_NAMES",
    "Augment",
    "Batches",
    "DataBundle",
    "DataError",
    "DataRequest",
    "ImageSet",
    "Images",
    "Preprocess",
    "load_data",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"qat.data has no {name!r}; it has {', '.join(_HOMES)}")
    return getattr(importlib.import_module(_HOMES[name]), name)
