"""The embedded set: its classes, its licence, its digest."""

import pytest
import torch

from qat.data import DataError, load_data
from qat.data.request import DataRequest
from qat.data.sources.fashion_mini import DIGEST, FILE, arrays_digest
from qat.data.sources.npz import read_arrays, write_arrays


def test_the_embedded_set_is_balanced_and_split_by_class():
    data = load_data(DataRequest("fashion_mini"))
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
    pixels = load_data(DataRequest("fashion_mini", val_fraction=0)).train.images.numpy() / 255
    assert pixels.mean() == pytest.approx(0.2860, abs=0.005)
    assert pixels.std() == pytest.approx(0.3530, abs=0.005)


def test_a_changed_pixel_is_noticed(tmp_path):
    arrays = read_arrays(FILE)
    arrays["train_images"][0, 0, 0] ^= 1
    write_arrays(tmp_path / "changed.npz", arrays)
    with pytest.raises(DataError, match=r"sha256 of the arrays is .* expected"):
        load_data(DataRequest("fashion_mini", path=tmp_path / "changed.npz"))


def test_other_compression_is_the_same_data(tmp_path):
    arrays = read_arrays(FILE)
    write_arrays(tmp_path / "plain.npz", arrays)
    assert arrays_digest(read_arrays(tmp_path / "plain.npz")) == DIGEST
