"""Crops and flips against numpy slices, and what makes them repeatable."""

import numpy as np
import pytest
import torch

from qat.data import Augment, DataError
from qat.data.augment import crop_and_flip


def by_slices(images, pad, top, left, flipped):
    """The oracle: pad with zeros, slice each image, reverse the columns of some."""
    height, width = images.shape[2:]
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty_like(images.numpy())
    for i, image in enumerate(padded):
        crop = image[:, top[i] : top[i] + height, left[i] : left[i] + width]
        out[i] = crop[:, :, ::-1] if flipped[i] else crop
    return torch.from_numpy(out)


def random_images(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator())


def test_crop_by_hand():
    image = torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8)
    # padded by 1: rows 0000, 0120, 0340, 0000; the crop at row 2, column 1 is 34, 00
    out = crop_and_flip(image, 1, torch.tensor([2]), torch.tensor([1]), torch.tensor([False]))
    assert out.tolist() == [[[[3, 4], [0, 0]]]]


def test_flip_by_hand_mirrors_the_crop_and_not_the_image_before_it():
    image = torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8)
    # the crop at row 1, column 2 is 20, 40; mirrored 02, 04
    out = crop_and_flip(image, 1, torch.tensor([1]), torch.tensor([2]), torch.tensor([True]))
    assert out.tolist() == [[[[0, 2], [0, 4]]]]


@pytest.mark.parametrize("shape", [(9, 3, 32, 32), (5, 1, 28, 28), (4, 3, 6, 11), (3, 2, 9, 4)])
@pytest.mark.parametrize("pad", [0, 1, 4])
def test_augment_equals_slices_image_by_image(shape, pad):
    images, augment = random_images(*shape), Augment(pad)
    expected = by_slices(images, pad, *augment.draw(shape[0], seed=5))
    assert torch.equal(augment(images, seed=5), expected)


def test_same_seed_same_crops_other_seed_others():
    images = random_images(32, 3, 8, 8)
    assert torch.equal(Augment()(images, 1), Augment()(images, 1))
    assert not torch.equal(Augment()(images, 1), Augment()(images, 2))


def test_takes_nothing_from_the_global_generator():
    images = random_images(8, 1, 8, 8)
    torch.manual_seed(1)
    first, state = Augment()(images, 3), torch.get_rng_state()
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, Augment()(images, 3))


def test_draws_cover_all_edges_evenly_and_half_the_flips():
    top, left, flipped = Augment(pad=4).draw(90_000, seed=0)
    for edge in (top, left):
        # 10,000 expected of each of 9 edges, standard deviation 94: 5 of them
        assert (torch.bincount(edge, minlength=9) - 10_000).abs().max() < 470
        assert edge.max() == 8
    assert abs(int(flipped.sum()) - 45_000) < 750  # 5 standard deviations of 150


def test_without_flip_and_pad_it_is_the_identity():
    images = random_images(4, 3, 5, 5)
    assert torch.equal(Augment(pad=0, flip=False)(images, 0), images)


def test_leaves_its_input_alone():
    images = random_images(4, 3, 5, 5)
    before = images.clone()
    Augment()(images, 0)
    assert torch.equal(images, before)


def test_negative_pad_is_refused():
    with pytest.raises(DataError, match="pad must be 0 or more"):
        Augment(pad=-1)
