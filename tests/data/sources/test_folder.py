"""Class folders: what is read, left out, refused and noted."""

import numpy as np
import pytest
from PIL import Image

from qat.data import Batches, DataError, ImageSet, load_data
from qat.data.census import data_lines
from qat.data.request import DataRequest
from qat.data.sources.folder import load_folder
from tests.data.class_folders import pixels, write


def test_classes_are_numbered_by_name_and_pixels_kept(folder):
    data = load_data(DataRequest("folder", path=folder, val_fraction=0))
    assert data.classes == 3
    assert isinstance(data.train, ImageSet)
    assert data.train.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert np.array_equal(data.train.images[12].permute(1, 2, 0).numpy(), pixels(1, 2, (8, 8, 3)))


@pytest.mark.parametrize("limit", [100, 2**20], ids=["streamed", "in memory"])
def test_files_of_different_sizes_need_resize_and_crop(folder, limit):
    Image.fromarray(pixels(0, 0, (9, 16, 3))).save(folder / "test" / "bee" / "wide.png")
    with pytest.raises(DataError, match=r"differ in size: .* is 8x8, .*wide.png 9x16; set data"):
        load_data(DataRequest("folder", path=folder, memory_limit=limit))
    with pytest.raises(DataError, match="differ in size"):
        load_data(DataRequest("folder", path=folder, resize=8, memory_limit=limit))
    data = load_data(DataRequest("folder", path=folder, resize=12, crop=10, memory_limit=limit))
    images, _ = next(iter(Batches(data.test, 15, data.preprocess)))
    assert images.shape == (13, 3, 10, 10)


def test_a_val_folder_is_the_validation_set(tmp_path):
    parts = (("train", 4), ("test", 2), ("val", 3))
    data = load_data(DataRequest("folder", path=write(tmp_path / "images", parts=parts)))
    assert [len(part) for part in (data.train, data.val, data.test)] == [12, 9, 6]


def test_grey_files_have_one_channel(tmp_path):
    raw = load_folder(DataRequest("folder", path=write(tmp_path / "images", shape=(8, 8))))
    assert raw.train.image_shape == raw.test.image_shape == (1, 8, 8)
    assert raw.class_names == ("ant", "bee", "cat")


def test_digest_sees_a_pixel_and_not_the_place(folder, tmp_path):
    digest = load_data(DataRequest("folder", path=folder)).digest
    assert load_data(DataRequest("folder", path=write(tmp_path / "elsewhere"))).digest == digest
    Image.fromarray(pixels(2, 99, (8, 8, 3))).save(folder / "test" / "cat" / "00.png")
    assert load_data(DataRequest("folder", path=folder)).digest != digest


def test_progress_can_be_watched(folder):
    seen = []

    def track(items):
        for item in items:
            seen.append(item)
            yield item

    load_data(DataRequest("folder", path=folder, track=track))
    assert len(seen) >= 42


def test_a_file_that_is_no_image_is_named(folder):
    (folder / "train" / "ant" / "bad.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"bad\.png: not a readable image .*; repair or remove"):
        load_data(DataRequest("folder", path=folder))


@pytest.mark.parametrize("limit", [100, 2**20], ids=["streamed", "in memory"])
def test_a_truncated_image_is_found_before_anything_is_trained(folder, limit):
    path = folder / "test" / "bee" / "01.png"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"01\.png: not a readable image") as caught:
        load_data(DataRequest("folder", path=folder, memory_limit=limit))
    assert "\n" not in str(caught.value)


def test_what_is_left_out_is_told_with_its_count(folder):
    (folder / "train" / "ant" / "a.txt").write_text("no image")
    (folder / "test" / "cat" / "b.TXT").write_text("no image")
    (folder / "test" / "cat" / "labels.json").write_text("{}")
    (folder / "test" / "beside.csv").write_text("")
    (folder / "valid").mkdir()
    for hidden in (".ds_store", "._00.png", "Thumbs.db"):
        (folder / "train" / "bee" / hidden).write_bytes(b"")
    (folder / "train" / "__MACOSX").mkdir()
    data = load_data(DataRequest("folder", path=folder))
    assert len(data.train) + len(data.val) == 30
    assert data.notes == (
        "not read: valid/ (the folders that are: train, test, val)",
        "1 file left out, in test/ beside the class folders: beside.csv",
        "3 files left out, not an image by suffix: .txt (2), .json (1)",
    )


def test_mixed_kinds_of_images_are_told_once_with_their_counts(folder):
    here = folder / "train" / "ant"
    Image.fromarray(np.full((8, 8), 258, dtype=np.uint16)).save(here / "deep.png")
    Image.fromarray(np.zeros((8, 8, 4), dtype=np.uint8)).save(here / "clear.png")
    Image.fromarray(pixels(0, 0, (8, 8))).save(here / "grey.png")
    data = load_data(DataRequest("folder", path=folder))
    assert data.notes == (
        "1 image with transparent pixels laid on white",
        "1 image of 16 bits a channel reduced to their high bytes",
        "2 images of 45 grey, repeated in three channels",
    )


def test_test_alone_needs_no_train_folder(tmp_path):
    root = write(tmp_path / "images", parts=(("test", 4),))
    with pytest.raises(DataError, match=r"only a test part, .*: set data\.mean and data\.std"):
        load_data(DataRequest("folder", path=root))
    (root / "test" / "dog").mkdir()  # a class of the network's without an image
    data = load_data(DataRequest("folder", path=root, mean=[0.5], std=[0.5]))
    assert (data.train, data.val, len(data.test), data.classes) == (None, None, 12, 4)
    assert data_lines(data) == ["test  12 images of 8x8, 3 channels: ant 4, bee 4, cat 4, dog 0"]


def test_images_without_class_folders_have_no_labels(folder):
    flat = folder / "flat" / "test"
    flat.mkdir(parents=True)
    for path in (folder / "test" / "bee").iterdir():
        path.rename(flat / path.name)
    with pytest.raises(DataError, match=r"set data\.classes"):
        load_data(DataRequest("folder", path=flat.parent, mean=[0.5], std=[0.5]))
    data = load_data(
        DataRequest("folder", path=flat.parent, mean=[0.5], std=[0.5], classes=10, test_images=3)
    )
    assert (data.classes, data.test.labelled, len(data.test)) == (10, False, 3)
    assert data_lines(data) == ["test  3 images of 8x8, 3 channels: no labels"]


def test_classes_are_checked_against_the_folders(folder):
    assert load_data(DataRequest("folder", path=folder, classes=3)).classes == 3
    with pytest.raises(DataError, match=r"data\.classes=4, but the data have 3 classes"):
        load_data(DataRequest("folder", path=folder, classes=4))


def test_missing_folders_and_classes_are_named(folder, tmp_path):
    with pytest.raises(DataError, match=r"set data\.path=DIR"):
        load_data(DataRequest("folder"))
    with pytest.raises(DataError, match="nowhere: no such folder; arrange images as DIR/train"):
        load_data(DataRequest("folder", path=tmp_path / "nowhere"))
    (folder / "test" / "dog").mkdir()
    with pytest.raises(DataError, match="class 'dog' is not in train, which has ant, bee, cat"):
        load_data(DataRequest("folder", path=folder))


def test_an_empty_class_is_named(folder):
    for path in (folder / "test" / "cat").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="cat: no image in it, each class needs one"):
        load_data(DataRequest("folder", path=folder))
