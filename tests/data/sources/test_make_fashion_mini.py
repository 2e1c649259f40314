"""The script that makes the embedded set, on a small full set."""

import gzip
import struct

import numpy as np
import pytest

from qat.data.errors import DataError
from qat.data.sources.fashion_mini import arrays_digest
from qat.data.sources.make_fashion_mini import main, make, subset
from qat.data.sources.npz import read_arrays


def idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def full(tmp_path):
    """A small full set: pixel [0, 0] of an image is its place in it."""
    for stem, count in (("train", 120), ("t10k", 60)):
        images = np.random.default_rng(count).integers(0, 256, (count, 4, 4), dtype=np.uint8)
        images[:, 0, 0] = np.arange(count)
        labels = np.arange(count) % 10
        (tmp_path / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


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


def test_images_without_labels_are_refused(full):
    (full / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(119) % 10))
    with pytest.raises(DataError, match="120 train images but 119 labels"):
        subset(full, "train", 10)
