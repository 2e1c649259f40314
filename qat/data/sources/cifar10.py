"""CIFAR-10: 50,000 training and 10,000 test images of 32x32 RGB, 10 classes.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. Mean and standard
deviation are those of the training pixels (rounded to four digits, as published recipes have them).
"""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from qat.data.bundle import RawData
from qat.data.request import DataRequest
from qat.data.sources.download import named_file, torchvision_arrays
from qat.data.sources.npz import read_npz

CLASSES = 10
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def load_cifar10(request: DataRequest) -> RawData:
    """Read ``ROOT/cifar10.npz``; a missing file is downloaded and written first.

    Raises:
        DataError: If the download fails, or the file is damaged or has other arrays.
    """
    raw = read_npz(named_file("cifar10", request, fetch_cifar10), CLASSES)
    return RawData(raw.train, raw.test, raw.val, CLASSES, MEAN, STD)


def fetch_cifar10(folder: Path) -> dict[str, NDArray[Any]]:
    """Download through torchvision, which first compares the archive with its published MD5."""
    from torchvision.datasets import CIFAR10  # slow to import, and needed once

    return torchvision_arrays(CIFAR10, folder)
