"""The embedded set and the script that makes it."""

import gzip
import struct

import numpy as np
import pytest
import torch

from qat.data import DataError, load_data
from qat.data.fashion_mini import DIGEST, FILE, arrays_digest
from qat.data.make_fashion_mini import main, make, subset
from qat.data.npz import read_arrays, write_arrays


def idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def full(tmp_path):
    """A small stand-in for the full set: pixel [0, 0] is the place in it."""
    for stem, count in (("train", 120), ("t10k", 60)):
        images = np.random.default_rng(count).integers(0, 256, (count, 4, 4), dtype=np.uint8)
        images[:, 0, 0] = np.arange(count)
        labels = np.arange(count) % 10
        (tmp_path / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


def test_the_embedded_set_is_balanced_and_split_by_class():
    data = load_data("fashion_mini")
    counts = [torch.bincount(part.labels).tolist() for part in (data.train, data.val, data.test)]
    assert counts == [[450] * 10, [50] * 10, [200] * 10]
    assert data.train.image_shape == (1, 28, 28)
    assert (data.classes, data.mean, data.std) == (10, (0.2860,), (0.3530,))


def test_the_file_is_small_and_its_licence_beside_it():
    assert FILE.stat().st_size < 3.2e6
    notice = (FILE.parent / "LICENSE.fashion_mini").read_text()
    assert "Copyright © 2017 Zalando SE" in notice
    assert "WITHOUT WARRANTY OF ANY KIND" in notice


def test_published_normalisation_is_near_the_measured_one():
    pixels = load_data("fashion_mini", val_fraction=0).train.images.numpy() / 255
    assert pixels.mean() == pytest.approx(0.2860, abs=0.005)
    assert pixels.std() == pytest.approx(0.3530, abs=0.005)


def test_a_changed_pixel_is_noticed(tmp_path):
    arrays = read_arrays(FILE)
    arrays["train_images"][0, 0, 0] ^= 1
    write_arrays(tmp_path / "changed.npz", arrays)
    with pytest.raises(DataError, match=r"sha256 of the arrays is .* expected"):
        load_data("fashion_mini", path=tmp_path / "changed.npz")


def test_other_compression_is_the_same_data(tmp_path):
    arrays = read_arrays(FILE)
    write_arrays(tmp_path / "plain.npz", arrays)
    assert arrays_digest(read_arrays(tmp_path / "plain.npz")) == DIGEST


def test_the_subset_is_balanced_in_order_and_really_from_the_full_set(full):
    chosen = subset(full, "train", 30)
    assert np.bincount(chosen["train_labels"]).tolist() == [3] * 10
    places = chosen["train_images"][:, 0, 0]
    assert (np.diff(places.astype(int)) > 0).all()
    assert np.array_equal(places % 10, chosen["train_labels"])
    again = np.random.default_rng(120).integers(0, 256, (120, 4, 4), dtype=np.uint8)
    assert np.array_equal(again[places][:, 1:], chosen["train_images"][:, 1:])


def test_making_it_twice_gives_the_same_bytes(full, tmp_path):
    counts = {"train": 50, "test": 20}
    first = make(full, tmp_path / "a.npz", counts)
    assert make(full, tmp_path / "b.npz", counts) == first
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert arrays_digest(read_arrays(tmp_path / "a.npz")) == first


def test_the_command_says_what_is_missing(tmp_path, capsys):
    assert main(["--from", str(tmp_path), "--to", str(tmp_path / "out.npz")]) == 1
    assert "train-images-idx3-ubyte: cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello world", "not an IDX file of uint8"),
        (idx(np.zeros((5, 4, 4)))[:-1], r"truncated or damaged, 79 bytes for shape \[5, 4, 4\]"),
        (idx(np.zeros((5, 4, 4)))[:9], "truncated in its header of 16 bytes"),
    ],
)
def test_damaged_idx_files_are_refused(full, content, message):
    (full / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message):
        subset(full, "train", 10)


def test_a_truncated_gzip_is_refused(full):
    path = full / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        subset(full, "train", 10)


def test_images_without_labels_are_refused(full):
    (full / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(119) % 10))
    with pytest.raises(DataError, match="120 train images but 119 labels"):
        subset(full, "train", 10)
