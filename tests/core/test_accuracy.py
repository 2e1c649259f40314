"""Rank of the correct class, against a stable sort by numpy."""

import numpy as np
import torch

from qat.core.accuracy import classes_before


def test_the_rank_is_that_of_a_stable_sort():
    """Few distinct values, as quantized logits have, so that many are equal."""
    logits = torch.randint(0, 4, (200, 7), generator=torch.Generator().manual_seed(0)).float()
    order = np.argsort(-logits.numpy(), axis=1, kind="stable")
    for label in range(7):
        labels = torch.full((200,), label)
        by_numpy = np.argmax(order == label, axis=1)
        assert classes_before(logits, labels).tolist() == by_numpy.tolist()


def test_equal_logits_rank_by_class():
    logits = torch.zeros(3, 5)
    assert classes_before(logits, torch.tensor([0, 2, 4])).tolist() == [0, 2, 4]
