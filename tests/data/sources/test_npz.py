"""The npz layout: what is read, what is refused, and that nothing is executed or half written."""

import errno
import random

import numpy as np
import pytest
import torch

from qat.data import DataError, load_data
from qat.data.request import DataRequest
from qat.data.sources.npz import read_npz, write_arrays


def arrays(channels=(3,), train=20, test=8):
    """Four classes in turn, pixels that tell every place apart."""
    pixels = np.random.default_rng(0)
    return {
        "train_images": pixels.integers(0, 256, (train, 5, 6, *channels), dtype=np.uint8),
        "train_labels": np.arange(train) % 4,
        "test_images": pixels.integers(0, 256, (test, 5, 6, *channels), dtype=np.uint8),
        "test_labels": (np.arange(test) % 4).astype(np.uint8),
    }


@pytest.fixture
def save(tmp_path):
    def saved(**changes):
        content = {name: array for name, array in (arrays() | changes).items() if array is not None}
        np.savez(tmp_path / "data.npz", **content)
        return tmp_path / "data.npz"

    return saved


def test_pixels_and_labels_arrive(save):
    raw = read_npz(save())
    assert raw.classes == 4
    assert raw.val is None
    assert raw.train.image_shape == (3, 5, 6)
    assert np.array_equal(raw.train.images.numpy(), arrays()["train_images"].transpose(0, 3, 1, 2))
    assert raw.test.labels.tolist() == [0, 1, 2, 3] * 2


def test_grey_images_may_lack_the_channel_axis(save):
    raw = read_npz(save(**arrays(channels=())))
    assert raw.train.image_shape == (1, 5, 6)


def test_val_arrays_are_the_validation_set(save):
    extra = {"val_images": arrays()["test_images"] // 2, "val_labels": np.arange(8) % 4}
    data = load_data(DataRequest("npz", path=save(**extra)))
    assert len(data.train) == 20
    assert torch.equal(data.val.labels, torch.arange(8) % 4)


def test_the_digest_sees_the_validation_set(save):
    digests = set()
    for value in (1, 2):
        images = np.full((8, 5, 6, 3), value, np.uint8)
        path = save(val_images=images, val_labels=np.arange(8) % 4)
        digests.add(load_data(DataRequest("npz", path=path)).digest)
    assert len(digests) == 2


BAD = {
    "missing array": ({"test_labels": None}, "array test_labels is missing, found test_images"),
    "val without labels": ({"val_images": arrays()["test_images"]}, "array val_labels is missing"),
    "float images": ({"train_images": np.zeros((20, 5, 6, 3))}, "train_images must be uint8, got"),
    "nan images": ({"test_images": np.full((8, 5, 6, 3), np.nan)}, "got float64 with NaN; scale"),
    "flat images": ({"train_images": np.zeros((20, 90), np.uint8)}, r"got shape \[20, 90\]"),
    "channels first": (
        {"train_images": np.zeros((20, 3, 32, 32), np.uint8)},
        "1 to 4 channels last",
    ),
    "no images": (
        {"train_images": np.zeros((0, 5, 6, 3), np.uint8), "train_labels": np.zeros(0, int)},
        "no empty axis",
    ),
    "other test shape": (
        {"test_images": np.zeros((8, 9, 9, 3), np.uint8)},
        r"test_images have shape \[3, 9, 9\]",
    ),
    "float labels": ({"train_labels": np.full(20, np.nan)}, "must be integers .* with NaN"),
    "label column": ({"train_labels": np.zeros((20, 1), int)}, r"got int64 \[20, 1\]"),
    "negative label": ({"train_labels": np.arange(20) % 4 - 1}, "labels -1 to 2 are out of range"),
    "huge label": ({"test_labels": np.full(8, 2**63, np.uint64)}, "out of range"),
    "test label": ({"test_labels": np.full(8, 4)}, "label 4 is out of range, 4 classes allow 0 to"),
    "missing class": ({"train_labels": np.arange(20) % 2 * 3}, r"2 of 4 classes .* \(1, 2\)"),
    "unequal lengths": ({"train_labels": np.arange(19) % 4}, "20 train_images but 19 train_labels"),
    "objects": (
        {"train_labels": np.array([object()] * 20)},
        r"an array has Python objects\); .* no pickled objects",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arrays_are_refused_by_file_and_name(save, changes, message):
    path = save(**changes)
    with pytest.raises(DataError, match=message) as caught:
        read_npz(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_beyond_the_classes_asked_for_are_refused(save):
    with pytest.raises(DataError, match="train_labels: label 3 is out of range, 3 classes"):
        read_npz(save(), classes=3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.npz: no such file; put an \.npz there"):
        read_npz(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and no more", b"\x80\x04N."])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged or truncated") as caught:
        read_npz(path)
    assert "allow_pickle" not in str(caught.value)


def test_a_single_array_is_refused(tmp_path):
    with (tmp_path / "data.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"one array, not an .npz archive"):
        read_npz(tmp_path / "data.npz")


def test_any_damage_is_noticed_or_harmless(save):
    """Cut and overwritten files give a DataError, or where only padding was hit, all the data."""
    path = save()
    blob, choose = path.read_bytes(), random.Random(0)
    whole, refused = read_npz(path), 0
    for trial in range(300):
        damaged = bytearray(blob)
        if trial % 2:
            del damaged[choose.randrange(len(blob)) :]
        else:
            damaged[choose.randrange(len(blob))] ^= 1 << choose.randrange(8)
        path.write_bytes(damaged)
        try:
            assert read_npz(path).train.digest() == whole.train.digest()
        except DataError:
            refused += 1
    assert refused > 250


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "data.npz"
    write_arrays(path, arrays())
    before = path.read_bytes()

    def full(file, **_):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DataError, match=r"cannot be written .*No space left.*free space"):
        write_arrays(path, arrays())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_data_npz_without_a_path_says_what_to_set():
    with pytest.raises(DataError, match=r"set data\.path=FILE\.npz"):
        load_data(DataRequest("npz"))
