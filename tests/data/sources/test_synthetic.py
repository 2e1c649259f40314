"""Made images: as many and as large as asked, repeatable, and learnable."""

import pytest
import torch

from qat.data import DataError, load_data
from qat.data.request import DataRequest
from qat.data.sources.synthetic import class_patterns


def test_sizes_are_those_asked_for():
    data = load_data(
        DataRequest(
            "synthetic", train_images=40, test_images=20, classes=4, image_size=9, channels=2
        )
    )
    assert [len(part) for part in (data.train, data.val, data.test)] == [36, 4, 20]
    assert data.train.image_shape == (2, 9, 9)
    assert data.classes == 4


def test_the_seed_makes_the_images():
    first, again = load_data(DataRequest("synthetic")), load_data(DataRequest("synthetic"))
    assert first.digest == again.digest
    assert load_data(DataRequest("synthetic", split_seed=1)).digest != first.digest


def test_train_and_test_are_different_images_of_the_same_classes():
    data = load_data(DataRequest("synthetic", train_images=100, test_images=100, val_fraction=0))
    assert not torch.equal(data.train.images, data.test.images)
    assert torch.equal(data.train.labels, data.test.labels)


def test_the_nearest_class_mean_finds_the_class_flipped_or_not():
    data = load_data(DataRequest("synthetic"))
    train, test = data.train.images.float().flatten(1), data.test.images.float()
    means = torch.stack([train[data.train.labels == label].mean(0) for label in range(10)])
    for images in (test, test.flip(-1)):
        found = torch.cdist(images.flatten(1), means).argmin(1)
        assert (found == data.test.labels).float().mean() == 1


def test_noise_is_there():
    images = load_data(DataRequest("synthetic", train_images=100, val_fraction=0)).train
    of_class_0 = images.images[images.labels == 0].float()
    assert of_class_0.std(0).mean() > 20  # uniform over 97 values: 28


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_images": 0}, "train_images must be 1 or more, got 0"),
        ({"test_images": 5}, r"test_images must be 10 \(one of each class\) or more, got 5"),
        ({"image_size": 0}, "image_size must be 1 or more, got 0"),
    ],
)
def test_impossible_sizes_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        load_data(DataRequest("synthetic", **options))


def test_a_pattern_is_mirrored_and_made_of_blocks():
    patterns = class_patterns(3, 2, 8, seed=0)
    assert patterns.shape == (3, 2, 8, 8)
    assert torch.equal(patterns, patterns.flip(-1))
    blocks = patterns.view(3, 2, 4, 2, 4, 2)  # four blocks of two pixels along each side
    assert (blocks == blocks[:, :, :, :1, :, :1]).all()
    assert 48 <= int(patterns.min()) < int(patterns.max()) < 208
