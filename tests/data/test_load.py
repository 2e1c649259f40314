"""The loader: names, limits, splits, normalisation, digest."""

import numpy as np
import pytest
import torch

from qat.data import DATA_NAMES, Batches, DataError
from qat.data.load import load_data
from qat.data.names import TORCHVISION_DATA
from qat.data.request import DataRequest


@pytest.fixture(scope="module")
def npz(tmp_path_factory):
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    save(path)
    return path


def save(path, change=None):
    pixels = np.random.default_rng(0)
    arrays = {
        "train_images": pixels.integers(0, 256, (400, 6, 6, 3), dtype=np.uint8),
        "train_labels": np.arange(400) % 4,
        "test_images": pixels.integers(0, 256, (80, 6, 6, 3), dtype=np.uint8),
        "test_labels": np.arange(80) % 4,
    }
    if change:
        arrays[change].flat[17] ^= 1
    np.savez(path, **arrays)


def test_the_names_are_those_of_the_design():
    expected = {"fashion_mini", "fashion_mnist", "cifar10", "npz", "folder", "synthetic"} | {"user"}
    expected |= set(TORCHVISION_DATA)
    assert set(DATA_NAMES) == expected


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DataError, match=r"must be one of fashion_mini, .*, got 'cifar11'"):
        load_data(DataRequest("cifar11"))


def test_limits_and_split_are_class_balanced(npz):
    data = load_data(
        DataRequest("npz", path=npz, train_images=200, test_images=40, val_fraction=0.2)
    )
    counts = [torch.bincount(part.labels).tolist() for part in (data.train, data.val, data.test)]
    assert counts == [[40] * 4, [10] * 4, [10] * 4]


def test_no_validation_image_is_a_training_image(npz):
    data = load_data(DataRequest("npz", path=npz))
    rows = {part: {image.numpy().tobytes() for image in part.images} for part in (data.train,)}
    assert rows[data.train].isdisjoint(image.numpy().tobytes() for image in data.val.images)
    assert len(data.train) + len(data.val) == 400


def test_val_fraction_zero_gives_no_validation(npz):
    data = load_data(DataRequest("npz", path=npz, val_fraction=0))
    assert data.val is None
    assert len(data.train) == 400


def test_the_test_set_does_not_depend_on_the_split(npz):
    digests = {
        load_data(DataRequest("npz", path=npz, split_seed=seed)).test.digest() for seed in range(3)
    }
    assert len(digests) == 1


def test_measured_normalisation_is_numpys(npz):
    data = load_data(DataRequest("npz", path=npz))
    pixels = data.train.images.numpy().astype(np.float64) / 255
    assert data.mean == pytest.approx(pixels.mean(axis=(0, 2, 3)), abs=1e-6)
    assert data.std == pytest.approx(pixels.std(axis=(0, 2, 3)), abs=1e-6)
    images = torch.cat([batch for batch, _ in Batches(data.train, 64, data.preprocess)])
    torch.testing.assert_close(images.mean(dim=(0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-4)


def test_given_normalisation_wins_and_one_value_serves_all_channels(npz):
    data = load_data(DataRequest("npz", path=npz, mean=[0.5], std=[0.1, 0.2, 0.3]))
    assert data.mean == (0.5, 0.5, 0.5)
    assert data.std == (0.1, 0.2, 0.3)


def test_a_wrong_number_of_means_is_refused(npz):
    with pytest.raises(DataError, match=r"data\.mean must have 1 or 3 values"):
        load_data(DataRequest("npz", path=npz, mean=[0.5, 0.5]))


def test_resize_and_crop_reach_the_batches(npz):
    data = load_data(DataRequest("npz", path=npz, resize=12, crop=10))
    images, _ = next(iter(Batches(data.train, 4, data.preprocess)))
    assert images.shape == (4, 3, 10, 10)


def test_a_crop_that_does_not_fit_is_refused_at_once(npz):
    with pytest.raises(DataError, match="crop must be at most the image's 6x6, got 9"):
        load_data(DataRequest("npz", path=npz, crop=9))


def test_digest_is_of_the_content_and_the_split(npz, tmp_path):
    digest = load_data(DataRequest("npz", path=npz)).digest
    for name in ("train_images", "test_images"):
        save(tmp_path / f"{name}.npz", change=name)
        assert load_data(DataRequest("npz", path=tmp_path / f"{name}.npz")).digest != digest
    for options in ({"split_seed": 1}, {"val_fraction": 0.2}, {"train_images": 100}):
        assert load_data(DataRequest("npz", path=npz, **options)).digest != digest


def test_digest_does_not_see_preprocessing_or_place(npz, tmp_path):
    digest = load_data(DataRequest("npz", path=npz)).digest
    copy = tmp_path / "other.npz"
    copy.write_bytes(npz.read_bytes())
    assert (
        load_data(DataRequest("npz", path=copy, resize=8, mean=[0.0], std=[1.0])).digest == digest
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_images": 3}, "train_images must be 4"),
        ({"test_images": 81}, "test_images must be 4 .* to 80"),
        ({"val_fraction": 1}, "val_fraction must be 0 or more"),
        ({"channels": 3}, "channels=3 is for data synthetic, not npz"),
        ({"classes": 0}, "classes must be 1 or more, got 0"),
        ({"resize": -1}, "resize must be 1 or more"),
        ({"std": [0.0]}, "std must be finite and above 0"),
    ],
)
def test_bad_requests_are_refused(npz, options, message):
    with pytest.raises(DataError, match=message):
        load_data(DataRequest("npz", path=npz, **options))


def test_a_constant_channel_asks_for_a_std(tmp_path):
    save(tmp_path / "data.npz")
    arrays = dict(np.load(tmp_path / "data.npz"))
    arrays["train_images"][..., 1] = 9
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError, match=r"constant .* set data\.mean=\[.* data\.std=\[0\.2901,1,"):
        load_data(DataRequest("npz", path=tmp_path / "data.npz"))
