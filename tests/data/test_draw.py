"""Images drawn at random: torch's own permutation, and how many."""

import torch

from qat.data.draw import drawn
from qat.data.in_memory import ImageSet

IMAGES = ImageSet(torch.zeros(20, 1, 2, 2, dtype=torch.uint8), torch.arange(20))


def test_the_seed_fixes_which_images_and_their_order():
    chosen = drawn(IMAGES, 6, seed=3).labels
    order = torch.randperm(20, generator=torch.Generator().manual_seed(3))
    assert torch.equal(chosen, order[:6])
    assert len(set(chosen.tolist())) == 6
    assert not torch.equal(chosen, drawn(IMAGES, 6, seed=4).labels)


def test_a_smaller_draw_begins_a_larger_one_and_all_are_enough():
    assert torch.equal(drawn(IMAGES, 3, 0).labels, drawn(IMAGES, 9, 0).labels[:3])
    assert sorted(drawn(IMAGES, 50, 0).labels.tolist()) == list(range(20))
