"""Data sets of torchvision as arrays, on small copies in their published formats."""

import shutil

import numpy as np
import pytest
import torchvision.datasets as zoo

from qat.data.errors import DataError
from qat.data.load import load_data
from qat.data.request import DataRequest
from qat.data.sources.torchvision_arrays import ARRAY_SETS, load_torchvision_arrays
from tests.data.sources import tiny_torchvision as tiny

TRAIN = {"train": True, "test": False}
# Writer of a small copy; the arguments with which torchvision's own class reads a part.
COPIES = {
    "CIFAR100": (tiny.cifar100, lambda part: {"train": TRAIN[part]}),
    "SVHN": (tiny.svhn, lambda part: {"split": part}),
    "MNIST": (tiny.mnist, lambda part: {"train": TRAIN[part]}),
    "KMNIST": (tiny.kmnist, lambda part: {"train": TRAIN[part]}),
    "EMNIST": (tiny.emnist, lambda part: {"split": "balanced", "train": TRAIN[part]}),
    "STL10": (tiny.stl10, lambda part: {"split": part}),
}


def test_every_array_set_has_a_copy():
    assert COPIES.keys() == ARRAY_SETS.keys()


@pytest.mark.parametrize("name", COPIES)
def test_images_and_labels_are_those_that_torchvision_gives(name, tmp_path, monkeypatch):
    write, arguments = COPIES[name]
    write(tmp_path, monkeypatch)
    raw = load_torchvision_arrays(DataRequest(name, root=tmp_path))
    for part in ("train", "test"):
        images, theirs = getattr(raw, part), getattr(zoo, name)(str(tmp_path), **arguments(part))
        assert len(images) == len(theirs)
        for index in range(len(theirs)):
            image, label = theirs[index]
            pixels = np.asarray(image).reshape(*image.size[::-1], -1)
            assert np.array_equal(images.images[index].permute(1, 2, 0).numpy(), pixels)
            assert images.labels[index] == label
    assert raw.classes == int(raw.train.labels.max()) + 1


@pytest.mark.parametrize("name", COPIES)
def test_the_files_are_converted_once(name, tmp_path, monkeypatch):
    write, _ = COPIES[name]
    write(tmp_path, monkeypatch)
    first = load_data(DataRequest(name, root=tmp_path))
    converted = tmp_path / ("EMNIST-balanced.npz" if name == "EMNIST" else f"{name}.npz")
    assert converted.is_file()
    for path in tmp_path.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    monkeypatch.delattr(zoo, name)
    again = load_data(DataRequest(name, root=tmp_path))
    assert again.digest == first.digest
    assert again.mean == first.mean


def test_pixels_and_labels_are_those_in_the_files(tmp_path, monkeypatch):
    """By the description of each format, without torchvision."""
    tiny.stl10(tmp_path, monkeypatch)
    raw = load_torchvision_arrays(DataRequest("STL10", root=tmp_path))
    stored = tiny.pixels(20, 3, 96, 96, seed=20)
    assert int(raw.train.images[4, 2, 7, 90]) == stored[4, 2, 90, 7]  # column by column
    assert raw.train.labels.tolist()[:3] == [0, 1, 2]
    tiny.svhn(tmp_path, monkeypatch)
    raw = load_torchvision_arrays(DataRequest("SVHN", root=tmp_path))
    assert int(raw.train.images[4, 2, 7, 9]) == tiny.pixels(32, 32, 3, 30, seed=30)[7, 9, 2, 4]
    assert raw.train.labels.tolist()[:3] == [0, 1, 2]


def test_letters_are_numbered_from_zero(tmp_path, monkeypatch):
    tiny.emnist(tmp_path, monkeypatch, "letters", classes=26, first=1)
    request = DataRequest("EMNIST", root=tmp_path, options={"split": "letters"})
    raw = load_torchvision_arrays(request)
    assert (raw.classes, raw.train.labels.tolist()[:3]) == (26, [0, 1, 2])
    assert (tmp_path / "EMNIST-letters.npz").is_file()


def test_a_download_is_converted_and_leaves_only_the_file(tmp_path, monkeypatch):
    tiny.cifar100(tmp_path / "elsewhere", monkeypatch)

    def download(url, root, filename, md5):
        assert (filename, md5) == (zoo.CIFAR100.filename, zoo.CIFAR100.tgz_md5)
        shutil.copytree(tmp_path / "elsewhere", root, dirs_exist_ok=True)

    monkeypatch.setattr(zoo.cifar, "download_and_extract_archive", download)
    root = tmp_path / "root"
    raw = load_torchvision_arrays(DataRequest("CIFAR100", root=root))
    assert (len(raw.train), len(raw.test), raw.classes) == (200, 20, 100)
    assert {path.name for path in root.iterdir()} <= {"CIFAR100.npz", ".CIFAR100.lock"}


def test_without_a_network_the_message_says_where_the_file_goes(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(zoo.cifar, "download_and_extract_archive", offline)
    with pytest.raises(DataError, match=r"no route to host\); put the file there") as caught:
        load_data(DataRequest("CIFAR100", root=tmp_path))
    assert str(tmp_path / "CIFAR100.npz") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_files_are_named(tmp_path, monkeypatch):
    tiny.mnist(tmp_path, monkeypatch)
    path = tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    path.write_bytes(b"\0\0\7\1" + path.read_bytes()[4:])
    with pytest.raises(DataError, match=r"MNIST: torchvision cannot read its files in .*remove"):
        load_data(DataRequest("MNIST", root=tmp_path))
    assert not (tmp_path / "MNIST.npz").exists()


def test_a_file_of_another_data_set_is_refused(tmp_path):
    images, labels = np.zeros((22, 28, 28), np.uint8), np.arange(22) % 11
    parts = {"train_images": images, "train_labels": labels}
    np.savez(tmp_path / "MNIST.npz", **parts, test_images=images, test_labels=labels)
    with pytest.raises(DataError, match="label 10 is out of range, 10 classes allow 0 to 9"):
        load_data(DataRequest("MNIST", root=tmp_path))
