"""Fashion-MNIST: 60,000 training and 10,000 test images of 28x28 grey pixels, 10 classes.

Xiao, Rasul, Vollgraf, arXiv:1708.07747. Mean and standard deviation are those of the training
pixels, rounded to four digits.
"""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from qat.data.bundle import RawData
from qat.data.request import DataRequest
from qat.data.sources.download import named_file, torchvision_arrays
from qat.data.sources.npz import read_npz

CLASSES = 10
MEAN, STD = (0.2860,), (0.3530,)


def load_fashion_mnist(request: DataRequest) -> RawData:
    """Read ``ROOT/fashion_mnist.npz``; a missing file is downloaded and written first.

    Raises:
        DataError: If the download fails, or the file is damaged or has other arrays.
    """
    raw = read_npz(named_file("fashion_mnist", request, fetch_fashion_mnist), CLASSES)
    return RawData(raw.train, raw.test, raw.val, CLASSES, MEAN, STD)


def fetch_fashion_mnist(folder: Path) -> dict[str, NDArray[Any]]:
    """Download through torchvision, which first compares the files with their published MD5."""
    from torchvision.datasets import FashionMNIST  # slow to import, and needed once

    return torchvision_arrays(FashionMNIST, folder)
