"""Subsets and splits: balanced, disjoint, fixed."""

import hashlib

import pytest
import torch

from qat.data import DataError
from qat.data.split import balanced_subset, split_fraction, stable_seed

LABELS = torch.arange(200) % 4
UNEVEN = torch.tensor([0] * 100 + [1] * 40 + [2] * 7)


def test_stable_seed_is_the_hash_it_says():
    expected = int(hashlib.sha256(b"augment:0:3").hexdigest()[:16], 16) // 2
    assert stable_seed("augment", 0, 3) == expected
    assert 0 <= stable_seed("order", 1) < 2**63


@pytest.mark.parametrize("count", [4, 20, 22, 200])
def test_subset_has_equally_many_of_each_class(count):
    chosen = balanced_subset(LABELS, count, seed=0, purpose="train_images")
    counts = torch.bincount(LABELS[chosen])
    assert counts.sum() == count
    assert counts.max() - counts.min() <= 1
    assert torch.equal(chosen, chosen.unique())


def test_a_class_that_runs_out_leaves_its_share_to_the_others():
    counts = torch.bincount(UNEVEN[balanced_subset(UNEVEN, 67, 0, "train_images")])
    assert counts.tolist() == [30, 30, 7]


def test_a_smaller_subset_lies_within_a_larger_one():
    small = set(balanced_subset(LABELS, 20, 0, "train_images").tolist())
    assert small < set(balanced_subset(LABELS, 60, 0, "train_images").tolist())


@pytest.mark.parametrize(("seed", "purpose"), [(1, "train_images"), (0, "test_images")])
def test_seed_and_purpose_choose_other_images(seed, purpose):
    chosen = balanced_subset(LABELS, 20, 0, "train_images")
    assert not torch.equal(chosen, balanced_subset(LABELS, 20, seed, purpose))


@pytest.mark.parametrize("count", [3, 201])
def test_counts_out_of_range_are_refused(count):
    with pytest.raises(DataError, match=r"train_images must be 4 .* to 200 .*, got"):
        balanced_subset(LABELS, count, 0, "train_images")


def test_split_takes_its_share_of_every_class():
    rest, val = split_fraction(UNEVEN, 0.1, seed=0)
    assert torch.bincount(UNEVEN[val]).tolist() == [10, 4, 1]
    assert sorted(rest.tolist() + val.tolist()) == list(range(147))


def test_split_is_fixed_by_its_seed():
    assert torch.equal(split_fraction(LABELS, 0.2, 3)[1], split_fraction(LABELS, 0.2, 3)[1])
    assert not torch.equal(split_fraction(LABELS, 0.2, 3)[1], split_fraction(LABELS, 0.2, 4)[1])


def test_split_leaves_one_of_each_class_on_both_sides():
    rest, val = split_fraction(torch.tensor([0, 0, 1, 1]), 0.9, seed=0)
    assert len(rest) == len(val) == 2


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_fractions_out_of_range_are_refused(fraction):
    with pytest.raises(DataError, match="val_fraction must be 0 or more and less than 1"):
        split_fraction(LABELS, fraction, 0)


def test_a_class_with_one_image_cannot_be_split():
    with pytest.raises(DataError, match=r"class 2 has 1 image.*add images of that class"):
        split_fraction(torch.tensor([0, 0, 1, 1, 2]), 0.1, 0)
