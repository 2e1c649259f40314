"""The images of a run in batches."""

from dataclasses import replace

import pytest
import torch

from qat.data.augment import Augment
from qat.run.request.images import RunImages


@pytest.fixture
def images(make_prepared) -> RunImages:
    return make_prepared().images


def sizes(batches):
    return [len(batch) for batch, _ in batches]


def test_the_test_set_is_whole_and_in_its_order(images):
    assert sizes(images.test()) == [5, 5, 2]
    every = torch.cat([batch for batch, _ in images.test()])
    assert torch.equal(every, images.data.preprocess(images.data.test.images))
    assert torch.equal(images.labels, images.data.test.labels)


def test_large_images_make_batches_smaller_except_where_ranges_are_those_of_a_batch(images):
    images.__dict__["at_once"] = 4  # a cached property
    assert sizes(images.test()) == [4, 4, 4]
    dynamic = replace(images, keeps_test_batches=True)
    dynamic.__dict__["at_once"] = 4
    assert sizes(dynamic.test()) == [5, 5, 2]
    assert sizes(dynamic.float_test()) == [4, 4, 4]


def test_a_budget_splits_batches_further(images):
    """Eight tensors as large as the largest; by hand."""
    images.__dict__["_image_bytes"] = 1000
    assert images.at_once_within(8 * 3000) == 3
    assert images.at_once_within(8 * 3000 - 1) == 2
    assert images.at_once_within(1) == 1
    assert images.at_once_within(2**60) == images.at_once == (32 * 2**20 - 4096) // 1000


def test_first_test_images(images):
    assert [len(batch) for batch in images.first_test_images(7, 3)] == [3, 3, 1]
    [batch] = images.first_test_images(100)
    assert len(batch) == 12


def test_the_example_is_of_another_part_where_there_is_no_train(images):
    data, fit = images.data, images.data.preprocess
    assert torch.equal(images.example(), fit(data.train.images[:8]))
    only_test = replace(images, data=replace(data, train=None, val=None))
    assert torch.equal(only_test.example(), fit(data.test.images[:8]))


def test_drawn_training_images_are_each_drawn_once(images):
    drawn = torch.cat([batch for batch, _ in images.drawn_training(15, seed=3, batch_size=5)])
    every = images.data.preprocess(images.data.train.images)
    positions = [int((every == image).flatten(1).all(1).nonzero()) for image in drawn]
    assert sorted(positions) == list(range(15))
    assert positions != list(range(15))


def test_augmented_training_images_are_shuffled_anew_in_each_epoch(images):
    batches = images.augmented_training(8, seed=3, batch_size=8, augment=Augment(2, False))
    first, second = batches.batch(0)[0], batches.at_epoch(1).batch(0)[0]
    assert first.shape == second.shape == (8, 3, 8, 8)
    assert not torch.equal(first, second)
    assert torch.equal(first, batches.batch(0)[0])
