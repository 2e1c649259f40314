"""Counts in words."""

import pytest

from qat.base.plurals import counted


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (1.0, "1.0 run"), (1000, "1000 runs")],
)
def test_one_has_the_singular(count, text):
    assert counted(count, "run") == text


def test_a_count_may_have_a_format_and_a_noun_its_own_plural():
    assert counted(2048, "image", ",") == "2,048 images"
    assert counted(1.0, "step", "g") == "1 step"
    assert [counted(n, "bias", plural="biases") for n in (1, 2)] == ["1 bias", "2 biases"]
