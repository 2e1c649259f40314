"""Data sets as uint8 tensors in memory; batches that depend on (seed, epoch, batch) alone."""

from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.data.errors import DataError
from qat.data.in_memory import Images, ImageSet
from qat.data.load import LOADERS, load_data
from qat.data.preprocess import Preprocess
from qat.data.request import DataRequest

DATA_NAMES = tuple(LOADERS)

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
