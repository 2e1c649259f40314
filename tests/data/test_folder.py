"""Class folders: decoded in memory or streamed, the same images either way."""

import numpy as np
import pytest
import torch
from PIL import Image

from qat.data import Augment, Batches, DataError, ImageSet, load_data
from qat.data.folder import FolderImages

NAMES = ("ant", "bee", "cat")


def pixels(label, index, shape):
    seed = label * 1000 + index
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(root, shape=(8, 8, 3), parts=(("train", 10), ("test", 4))):
    for part, count in parts:
        for label, name in enumerate(NAMES):
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                image = Image.fromarray(pixels(label, index, shape))
                image.save(folder / f"{index:02d}.png")
    return root


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "images")


def test_classes_are_numbered_by_name_and_pixels_kept(folder):
    data = load_data("folder", path=folder, val_fraction=0)
    assert data.classes == 3
    assert isinstance(data.train, ImageSet)
    assert data.train.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert np.array_equal(data.train.images[12].permute(1, 2, 0).numpy(), pixels(1, 2, (8, 8, 3)))


@pytest.mark.parametrize("options", [{}, {"resize": 12, "crop": 10}], ids=["plain", "resized"])
def test_streamed_equals_in_memory(folder, options):
    kept = load_data("folder", path=folder, **options)
    streamed = load_data("folder", path=folder, memory_limit=100, **options)
    assert isinstance(streamed.train, FolderImages)
    assert isinstance(streamed.val, FolderImages)
    assert streamed.digest == kept.digest
    assert streamed.preprocess == kept.preprocess
    for left, right in zip(training(streamed), training(kept), strict=True):
        assert torch.equal(left[0], right[0])
        assert torch.equal(left[1], right[1])


def training(data):
    return Batches(data.train, 8, data.preprocess, Augment(1), shuffle=True, seed=3, epoch=2)


@pytest.mark.parametrize("limit", [100, 2**20], ids=["streamed", "in memory"])
def test_files_of_different_sizes_need_resize_and_crop(folder, limit):
    Image.fromarray(pixels(0, 0, (9, 16, 3))).save(folder / "test" / "bee" / "wide.png")
    with pytest.raises(DataError, match=r"differ in size: .* is 8x8, .*wide.png 9x16; set data"):
        load_data("folder", path=folder, memory_limit=limit)
    with pytest.raises(DataError, match="differ in size"):
        load_data("folder", path=folder, resize=8, memory_limit=limit)
    data = load_data("folder", path=folder, resize=12, crop=10, memory_limit=limit)
    images, _ = next(iter(Batches(data.test, 15, data.preprocess)))
    assert images.shape == (13, 3, 10, 10)


def test_a_val_folder_is_the_validation_set(tmp_path):
    parts = (("train", 4), ("test", 2), ("val", 3))
    data = load_data("folder", path=write(tmp_path / "images", parts=parts))
    assert [len(part) for part in (data.train, data.val, data.test)] == [12, 9, 6]


def test_grey_files_have_one_channel(tmp_path):
    data = load_data("folder", path=write(tmp_path / "images", shape=(8, 8)))
    assert data.train.image_shape == (1, 8, 8)
    assert len(data.mean) == 1


def test_digest_sees_a_pixel_and_not_the_place(folder, tmp_path):
    digest = load_data("folder", path=folder).digest
    assert load_data("folder", path=write(tmp_path / "elsewhere")).digest == digest
    Image.fromarray(pixels(2, 99, (8, 8, 3))).save(folder / "test" / "cat" / "00.png")
    assert load_data("folder", path=folder).digest != digest


def test_progress_can_be_watched(folder):
    seen = []

    def track(items):
        for item in items:
            seen.append(item)
            yield item

    load_data("folder", path=folder, track=track)
    assert len(seen) >= 42


def test_a_file_that_is_no_image_is_named(folder):
    (folder / "train" / "ant" / "bad.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"bad\.png: not a readable image .*; repair or remove"):
        load_data("folder", path=folder)


@pytest.mark.parametrize("limit", [100, 2**20], ids=["streamed", "in memory"])
def test_a_truncated_image_is_named_when_it_is_decoded(folder, limit):
    path = folder / "test" / "bee" / "01.png"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"01\.png: not a readable image") as caught:
        list(decoded(folder, limit))
    assert "\n" not in str(caught.value)


def decoded(folder, limit):
    data = load_data("folder", path=folder, memory_limit=limit)
    return Batches(data.test, 4, data.preprocess)


def test_sixteen_bit_images_are_refused(folder):
    deep = Image.fromarray(np.zeros((8, 8), dtype=np.uint16))
    deep.save(folder / "train" / "ant" / "deep.png")
    with pytest.raises(DataError, match=r"deep\.png: mode I;16 is not 8 bit"):
        load_data("folder", path=folder)


def test_missing_folders_and_classes_are_named(folder, tmp_path):
    with pytest.raises(DataError, match=r"set data\.path=DIR"):
        load_data("folder")
    with pytest.raises(DataError, match="train: no such folder; arrange images as DIR/train"):
        load_data("folder", path=tmp_path / "nowhere")
    (folder / "test" / "dog").mkdir()
    with pytest.raises(DataError, match="class 'dog' is not in train, which has ant, bee, cat"):
        load_data("folder", path=folder)


def test_an_empty_class_is_named(folder):
    for path in (folder / "test" / "cat").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="cat: no image in it, each class needs one"):
        load_data("folder", path=folder)
