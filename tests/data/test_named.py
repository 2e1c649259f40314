"""cifar10 and fashion_mnist: the file first, then a download that is written there."""

from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets

from qat.data import DataError, load_data


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


class FakeFashionMNIST:
    """The same with tensors, as torchvision has it."""

    def __init__(self, root, train, download):
        count = 40 if train else 20
        self.data = torch.arange(count * 784).view(count, 28, 28).to(torch.uint8)
        self.targets = torch.arange(count) % 10


class NoNetwork:
    """A download that cannot be."""

    def __init__(self, root, train, download):
        raise URLError("Name or service not known")


def test_cifar10_is_downloaded_once_and_then_read(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", FakeCIFAR10)
    monkeypatch.setattr(FakeCIFAR10, "calls", 0)
    first = load_data("cifar10", root=tmp_path / "new")
    assert (tmp_path / "new" / "cifar10.npz").is_file()
    second = load_data("cifar10", root=tmp_path / "new")
    assert FakeCIFAR10.calls == 2  # train and test, once each
    assert first.digest == second.digest
    assert first.mean == (0.4914, 0.4822, 0.4465)
    assert first.test.images[0, :, 5, 5].tolist() == [9, 9, 9]


def test_fashion_mnist_is_grey(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", FakeFashionMNIST)
    data = load_data("fashion_mnist", root=tmp_path, val_fraction=0)
    assert data.train.image_shape == (1, 28, 28)
    assert data.train.labels.tolist() == [index % 10 for index in range(40)]


@pytest.mark.parametrize(
    ("name", "cls"), [("cifar10", "CIFAR10"), ("fashion_mnist", "FashionMNIST")]
)
def test_a_failed_download_says_where_the_file_goes(tmp_path, monkeypatch, name, cls):
    monkeypatch.setattr(torchvision.datasets, cls, NoNetwork)
    with pytest.raises(DataError, match=r"could not be downloaded .*put the file there") as caught:
        load_data(name, root=tmp_path)
    assert str(tmp_path / f"{name}.npz") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] in ([], [f".{name}.lock"])


def test_without_a_folder_it_says_what_to_set():
    with pytest.raises(DataError, match=r"set paths\.data or QAT_DATA"):
        load_data("cifar10")


def test_a_file_with_eleven_classes_is_no_cifar10(tmp_path):
    images = np.zeros((22, 32, 32, 3), np.uint8)
    labels = np.arange(22) % 11
    parts = {"train_images": images, "train_labels": labels}
    np.savez(tmp_path / "cifar10.npz", **parts, test_images=images, test_labels=labels)
    with pytest.raises(DataError, match="label 10 is out of range, 10 classes allow 0 to 9"):
        load_data("cifar10", root=tmp_path)
