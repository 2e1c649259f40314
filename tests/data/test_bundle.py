"""The bundle of a run's data: its parts, its digest, what calibration draws from."""

import hashlib
from dataclasses import replace

import pytest
import torch

from qat.data.bundle import DataBundle, bundle_digest
from qat.data.errors import DataError
from qat.data.in_memory import ImageSet
from qat.data.preprocess import Preprocess
from qat.data.sources.folder_images import FolderImages


def grey(value, count=2):
    return ImageSet(torch.full((count, 1, 2, 2), value, dtype=torch.uint8), torch.arange(count))


@pytest.fixture
def data():
    return DataBundle("it", grey(1), None, grey(2), 2, Preprocess((0.5,), (0.25,)), digest="abc")


def test_parts_are_those_that_exist(data):
    assert list(data.parts) == ["train", "test"]
    assert list(replace(data, val=grey(3), calibration=grey(4)).parts) == [
        *("train", "val", "test", "calibration")
    ]
    assert (data.mean, data.std) == ((0.5,), (0.25,))


def test_calibration_draws_from_its_own_images_before_those_of_train(data):
    assert data.to_calibrate is data.train
    own = grey(4)
    assert replace(data, calibration=own).to_calibrate is own
    assert replace(data, train=None).to_calibrate is None


def test_training_needs_train_images(data):
    assert data.training is data.train
    with pytest.raises(DataError, match="data it has only a test part; give train images"):
        replace(data, train=None).training  # noqa: B018


def test_the_digest_is_sha256_over_names_and_digests_of_the_parts():
    train, test = grey(1), grey(2)
    text = f"train:{train.digest()};val:none;test:{test.digest()};"
    assert bundle_digest(train, None, test) == hashlib.sha256(text.encode()).hexdigest()


def test_a_bundle_moves_as_a_whole(data):
    files = {name: FolderImages((), grey=True) for name in ("train", "test", "calibration")}
    moved = replace(data, **files).to("meta")
    assert [part.device.type for part in moved.parts.values()] == ["meta"] * 3
    assert moved.digest == data.digest
    assert data.to("cpu").train is data.train
