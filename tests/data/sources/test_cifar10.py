"""CIFAR-10: downloaded once, then read from the file."""

import numpy as np
import pytest
import torchvision.datasets

from qat.data.errors import DataError
from qat.data.request import DataRequest
from qat.data.sources.cifar10 import load_cifar10


class FakeCIFAR10:
    """What torchvision's class has after a download."""

    calls = 0

    def __init__(self, root, train, download):
        assert download
        type(self).calls += 1
        count = 40 if train else 20
        self.data = np.full((count, 32, 32, 3), 7 if train else 9, dtype=np.uint8)
        self.data[:, 0, 0, 0] = np.arange(count)
        self.targets = [index % 10 for index in range(count)]


def test_cifar10_is_downloaded_once_and_then_read(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", FakeCIFAR10)
    monkeypatch.setattr(FakeCIFAR10, "calls", 0)
    first = load_cifar10(DataRequest("cifar10", root=tmp_path / "new"))
    assert (tmp_path / "new" / "cifar10.npz").is_file()
    second = load_cifar10(DataRequest("cifar10", root=tmp_path / "new"))
    assert FakeCIFAR10.calls == 2  # train and test, once each
    assert first.test.digest() == second.test.digest()
    assert first.train.labels.tolist() == [index % 10 for index in range(40)]
    assert first.mean == (0.4914, 0.4822, 0.4465)
    assert first.test.images[0, :, 5, 5].tolist() == [9, 9, 9]


def test_a_file_with_eleven_classes_is_no_cifar10(tmp_path):
    images = np.zeros((22, 32, 32, 3), np.uint8)
    labels = np.arange(22) % 11
    parts = {"train_images": images, "train_labels": labels}
    np.savez(tmp_path / "cifar10.npz", **parts, test_images=images, test_labels=labels)
    with pytest.raises(DataError, match="label 10 is out of range, 10 classes allow 0 to 9"):
        load_cifar10(DataRequest("cifar10", root=tmp_path))
