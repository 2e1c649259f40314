"""Data sets of torchvision as image files, on small copies in their published formats."""

import shutil

import numpy as np
import pytest
import torch
import torchvision.datasets as zoo

from qat.data.errors import DataError
from qat.data.in_memory import ImageSet
from qat.data.load import load_data
from qat.data.request import DataRequest
from qat.data.sources.torchvision_files import FILE_SETS, load_torchvision_files
from tests.data.sources import tiny_torchvision as tiny

COPIES = {
    "Flowers102": tiny.flowers102,
    "OxfordIIITPet": tiny.oxford_iiit_pet,
    "Food101": tiny.food101,
    "DTD": tiny.dtd,
    "GTSRB": tiny.gtsrb,
}
FOLDERS = {
    "Flowers102": "flowers-102",
    "OxfordIIITPet": "oxford-iiit-pet",
    "Food101": "food-101",
    "DTD": "dtd",
    "GTSRB": "gtsrb",
}
TRAIN = {"OxfordIIITPet": "trainval"}


def test_every_file_set_has_a_copy():
    assert COPIES.keys() == FILE_SETS.keys()


@pytest.mark.parametrize("name", COPIES)
def test_images_and_labels_are_those_that_torchvision_gives(name, tmp_path, monkeypatch):
    COPIES[name](tmp_path, monkeypatch)
    raw = load_torchvision_files(DataRequest(name, root=tmp_path))
    splits = {"train": TRAIN.get(name, "train"), "test": "test"}
    splits |= {"val": "val"} if name in ("Flowers102", "DTD") else {}
    assert (raw.val is None) == ("val" not in splits)
    for part, split in splits.items():
        images, theirs = getattr(raw, part), getattr(zoo, name)(str(tmp_path), split=split)
        assert len(images) == len(theirs)
        pixels, labels = images.take(slice(0, len(images)))
        for index in range(len(theirs)):
            image, label = theirs[index]
            assert np.array_equal(pixels[index].permute(1, 2, 0).numpy(), np.asarray(image))
            assert labels[index] == label
    assert raw.classes == int(raw.train.labels.max()) + 1
    assert raw.class_names == tuple(getattr(zoo.__dict__[name](str(tmp_path)), "classes", ()))


@pytest.mark.parametrize("name", COPIES)
def test_in_memory_and_streamed_are_the_same_data(name, tmp_path, monkeypatch):
    COPIES[name](tmp_path, monkeypatch)
    memory, stream = (
        load_data(DataRequest(name, root=tmp_path, memory_limit=limit)) for limit in (10**9, 1)
    )
    assert isinstance(memory.test, ImageSet)
    assert not isinstance(stream.test, ImageSet)
    assert (memory.digest, memory.mean, memory.std) == (stream.digest, stream.mean, stream.std)
    order = torch.tensor([1, 0])
    for ours, theirs in zip(memory.test.take(order), stream.test.take(order), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", COPIES)
def test_a_download_is_moved_to_its_place_when_it_is_complete(name, tmp_path, monkeypatch):
    COPIES[name](tmp_path / "elsewhere", monkeypatch)
    folder, own = FOLDERS[name], getattr(zoo, name)

    class Downloads(own):
        def __init__(self, root, split, download=False, **options):
            if download:
                assert not (tmp_path / "root" / folder).exists()
                shutil.copytree(tmp_path / "elsewhere" / folder, f"{root}/{folder}",
                                dirs_exist_ok=True)  # fmt: skip
            own.__init__(self, root, split, **options)

    Downloads.__name__ = name  # DTD names its folder by its class
    monkeypatch.setattr(zoo, name, Downloads)
    raw = load_torchvision_files(DataRequest(name, root=tmp_path / "root"))
    assert len(raw.test)
    assert {path.name for path in (tmp_path / "root").iterdir()} <= {folder, f".{name}.lock"}


def test_files_of_many_sizes_need_a_resize_and_a_crop(tmp_path, monkeypatch):
    tiny.gtsrb(tmp_path, monkeypatch)
    first = tmp_path / "gtsrb" / "GTSRB" / "Training" / "00000" / "00000.ppm"
    tiny.image(first, 0, (12, 9, 3))
    with pytest.raises(DataError, match=r"images differ in size: .*set data\.resize and data\.cr"):
        load_data(DataRequest("GTSRB", root=tmp_path))
    data = load_data(DataRequest("GTSRB", root=tmp_path, resize=8, crop=8))
    assert data.test.image_shape == (3, 8, 8)


def test_a_partition_of_dtd_is_chosen_by_an_option(tmp_path, monkeypatch):
    tiny.dtd(tmp_path, monkeypatch)
    first, second = (
        load_data(DataRequest("DTD", root=tmp_path, options=options))
        for options in ({}, {"partition": "2"})
    )
    assert first.digest != second.digest
    theirs = zoo.DTD(str(tmp_path), split="test", partition=2)
    pixels, _ = second.test.take(slice(0, 1))
    assert np.array_equal(pixels[0].permute(1, 2, 0).numpy(), np.asarray(theirs[0][0]))


def test_a_folder_elsewhere_keeps_its_name(tmp_path, monkeypatch):
    tiny.food101(tmp_path, monkeypatch)
    own = load_data(DataRequest("Food101", path=tmp_path / "food-101"))
    assert own.class_names == ("baklava", "waffles")
    (tmp_path / "food-101").rename(tmp_path / "food")
    with pytest.raises(DataError, match="must be the folder food-101 that torchvision makes"):
        load_data(DataRequest("Food101", path=tmp_path / "food"))


def test_a_missing_file_and_a_missing_list_are_named(tmp_path, monkeypatch):
    tiny.food101(tmp_path, monkeypatch)
    (tmp_path / "food-101" / "images" / "waffles" / "train1.jpg").unlink()
    with pytest.raises(DataError, match=r"1 file of .* is missing, the first is .*train1\.jpg"):
        load_data(DataRequest("Food101", root=tmp_path))
    shutil.rmtree(tmp_path / "food-101" / "meta")
    with pytest.raises(DataError, match=r"torchvision cannot read .*remove the folder"):
        load_data(DataRequest("Food101", root=tmp_path))


def test_a_failed_download_leaves_nothing(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(zoo.dtd, "download_and_extract_archive", offline)
    with pytest.raises(DataError, match=r"no route to host\); copy the folder dtd"):
        load_data(DataRequest("DTD", root=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] in ([], [".DTD.lock"])
