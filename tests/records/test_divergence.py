"""A training that ended no better than chance is told apart from one that learned."""

import math

import pytest

from qat.records.divergence import divergence, divergence_of
from qat.records.schema import RunRecord
from qat.records.warned import with_warnings


@pytest.mark.parametrize(
    ("loss", "top1", "part"),
    [
        (2.31, 0.6, "loss 2.31 is above that of chance, 2.3"),
        (2.0, 0.1, "top-1 10.0% is that of chance among 10 classes"),
        (2.0, 0.118, "top-1 11.8%"),  # 0.1 + 2 * sqrt(0.09 / 1000) = 0.11897
        (math.nan, 0.5, "loss nan"),
        (2.30, 0.12, None),
        (None, None, None),
    ],
)
def test_loss_and_accuracy_are_held_against_chance(loss, top1, part):
    metrics = {name: v for name, v in (("loss", loss), ("top1", top1)) if v is not None}
    lines = divergence(["quantized"], metrics, classes=10, images=1000)
    assert bool(lines) == (part is not None)
    assert all(line.startswith(f"quantized training diverged: {part}") for line in lines)


def test_only_what_was_trained_is_judged():
    metrics = {"float_loss": 9.0, "float_top1": 0.1, "loss": 9.0, "top1": 0.1}
    assert divergence([], metrics, 10, 100) == []
    assert [line.split()[0] for line in divergence(["float"], metrics, 10, 100)] == ["float"]


def test_a_record_tells_it_from_other_warnings():
    record = RunRecord("0123456789ab", "running", mode="qat", seed=0, overrides=())
    lines = ["a bias is clamped", "quantized training diverged: loss 9 is above"]
    assert divergence_of(with_warnings(record, lines)) == lines[1:]
