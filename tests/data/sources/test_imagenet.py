"""ImageNet in its usual folders, on a small copy."""

import shutil

import numpy as np
import pytest
import torchvision.datasets as zoo

from qat.data.errors import DataError
from qat.data.load import load_data
from qat.data.request import DataRequest
from qat.data.sources.imagenet import imagenet_parts
from tests.data.sources import tiny_torchvision as tiny


def test_val_is_the_test_part_and_train_is_split(tmp_path, monkeypatch):
    tiny.imagenet(tmp_path, monkeypatch)
    data = load_data(DataRequest("ImageNet", root=tmp_path, val_fraction=0.4))
    assert (len(data.train), len(data.val), len(data.test)) == (4, 2, 6)
    assert data.class_names == ("n01440764", "n01443537")
    assert data.mean == (0.485, 0.456, 0.406)
    theirs = zoo.ImageFolder(str(tmp_path / "imagenet" / "val"))
    pixels, labels = data.test.take(slice(0, 6))
    for index, (image, label) in enumerate(theirs):
        assert np.array_equal(pixels[index].permute(1, 2, 0).numpy(), np.asarray(image))
        assert labels[index] == label


def test_val_alone_is_a_data_set_with_only_a_test_part(tmp_path, monkeypatch):
    tiny.imagenet(tmp_path, monkeypatch, ["val"])
    data = load_data(DataRequest("ImageNet", path=tmp_path / "imagenet"))
    assert data.train is None
    assert (len(data.test), data.classes) == (6, 2)


def test_an_archive_is_extracted_by_torchvision(tmp_path, monkeypatch):
    tiny.imagenet(tmp_path, monkeypatch, ["val"])
    folder = tmp_path / "imagenet"
    (folder / "val").rename(tmp_path / "extracted")
    (folder / "ILSVRC2012_img_val.tar").touch()

    def extract(root, split):
        assert (root, split) == (str(folder), "val")
        shutil.copytree(tmp_path / "extracted", folder / "val")

    monkeypatch.setattr(zoo, "ImageNet", extract)
    parts, _ = imagenet_parts(folder)
    assert len(parts["test"]) == 6


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    tiny.imagenet(tmp_path, monkeypatch, ["train"])
    folder = tmp_path / "imagenet"
    with pytest.raises(DataError, match=r"val: no such folder; put ImageNet's folders train and"):
        imagenet_parts(folder)
    (folder / "ILSVRC2012_img_val.tar").touch()  # another MD5, and no devkit
    with pytest.raises(DataError, match=r"img_val\.tar: torchvision cannot extract it"):
        imagenet_parts(folder)
    tiny.image(folder / "val" / "ILSVRC2012_val_00000001.JPEG", 0)
    with pytest.raises(DataError, match="val: no class folders in it; sort the images"):
        imagenet_parts(folder)
    tiny.image(folder / "val" / "n99999999" / "it.JPEG", 0)
    with pytest.raises(DataError, match="train and val have different classes, such as n0"):
        imagenet_parts(folder)
