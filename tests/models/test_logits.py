"""Outputs of classifiers: one tensor of logits, or a line that says where it is."""

from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch

from qat.models.logits import check_logits

LOGITS, FEATURES = torch.zeros(2, 5), torch.zeros(2, 9)
Output = namedtuple("Output", "features logits")


def test_one_tensor_of_the_right_shape_passes():
    check_logits(LOGITS, images=2, classes=5, mode="evaluation")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (FEATURES, r"logits of shape \(2, 9\) in training mode for 2 images of 5 classes"),
        ({"aux": FEATURES, "out": LOGITS}, r"a dict .* forward returns output\['out'\], and name"),
        ([FEATURES, LOGITS], r"a list .* forward returns output\[1\], and name"),
        (Output(FEATURES, LOGITS), r"a Output .* forward returns output\[1\], and name"),
        (SimpleNamespace(logits=LOGITS), r"forward returns output\.logits, and name"),
        ((FEATURES, FEATURES), "a tuple .* let its forward return only the logits"),
    ],
    ids=["shape", "mapping", "list", "named tuple", "object", "nowhere"],
)
def test_others_are_refused_with_the_place_of_the_logits(output, words):
    with pytest.raises(ValueError, match=words):
        check_logits(output, images=2, classes=5, mode="training")
