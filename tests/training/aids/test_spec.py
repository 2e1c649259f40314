"""Settings of the aids: what is refused."""

import math

import pytest

from qat.training.aids.spec import AidsSpec, DistillationSpec


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("average_decay", 1.0, "aids.average_decay must be above 0 and below 1, got 1.0"),
        ("average_decay", -0.1, "above 0 and below 1"),
        ("freeze_first", 0.0, "aids.freeze_first must be above 0 and at most 1"),
        ("freeze_last", 1.5, "aids.freeze_last must be"),
        ("freeze_momentum", math.nan, "aids.freeze_momentum must be"),
        ("dampening", 0.0, "aids.dampening must be above 0, got 0.0"),
        ("bin_regularization", -1.0, "aids.bin_regularization must be above 0"),
        ("progressive_bits", (3, 4), "aids.progressive_bits must be widths of 2 to 16 bits"),
        ("progressive_bits", (1,), r"that fall, such as \[4,3\], got \[1\]"),
    ],
)
def test_a_wrong_value_is_refused(field, value, words):
    with pytest.raises(ValueError, match=words):
        AidsSpec(**{field: value})


def test_a_threshold_of_freezing_that_rises_is_refused():
    with pytest.raises(ValueError, match=r"set aids\.freeze_last=0\.005 or less"):
        AidsSpec(freeze_first=0.005)
    assert AidsSpec(freeze_first=0.01).freeze_last == 0.01


@pytest.mark.parametrize(
    ("field", "value"),
    [("weight", 1.1), ("weight", -0.1), ("temperature", 0.0), ("feature_weight", math.nan)],
)
def test_a_wrong_distillation_is_refused(field, value):
    with pytest.raises(ValueError, match=rf"distill\.{field} must be"):
        DistillationSpec(**{field: value})


def test_features_alone_distill_too():
    assert DistillationSpec(features=("layer1",)).is_on
    assert not DistillationSpec().is_on
