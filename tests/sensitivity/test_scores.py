"""Scores while they are measured: what is missing, what is kept, and the table of them."""

import math

import pytest

from qat.sensitivity.metrics import OUTPUT_KL, WEIGHT_MSE
from qat.sensitivity.scores import MetricScores
from qat.sensitivity.table import SensitivityRow

SLOTS = [("b", "weight"), ("b", "act"), ("a", "weight")]


def test_missing_are_all_slots_and_widths_without_a_score():
    scores = MetricScores(OUTPUT_KL, SLOTS, [2, 4], [SensitivityRow("b", "act", 2, 0.5)])
    scores.add(("a", "weight"), 4, 0.25)
    assert scores.missing() == [
        (("b", "weight"), 2),
        (("b", "weight"), 4),
        (("b", "act"), 4),
        (("a", "weight"), 2),
    ]


def test_a_metric_of_weights_misses_no_activation():
    assert {slot for slot, _ in MetricScores(WEIGHT_MSE, SLOTS, [2]).missing()} == {
        ("b", "weight"),
        ("a", "weight"),
    }
    with pytest.raises(ValueError, match=r"weight_mse scores only weight.*add that slot"):
        MetricScores(WEIGHT_MSE, [("b", "act")], [2])


def test_each_new_row_is_kept_at_once_and_no_nan():
    kept = []
    scores = MetricScores(OUTPUT_KL, SLOTS, [2], keep=kept.append)
    scores.add(("b", "act"), 2, 0.5)
    with pytest.raises(ValueError, match=r"the score of b .weight, 2 bits. is NaN"):
        scores.add(("b", "weight"), 2, math.nan)
    assert kept == [SensitivityRow("b", "act", 2, 0.5)]
    assert (("b", "weight"), 2) in scores.missing()


def test_the_table_is_in_the_order_of_slots_and_widths():
    scores = MetricScores(OUTPUT_KL, SLOTS, [2, 4])
    for slot, bits, score in ((SLOTS[2], 2, 3.0), (SLOTS[0], 4, 2.0), (SLOTS[0], 2, 1.0)):
        scores.add(slot, bits, score)
    table = scores.table("d1gest")
    assert [row.score for row in table.rows] == [1.0, 2.0, 3.0]
    assert (table.metric, table.unit, table.digest) == ("output_kl", "nats", "d1gest")
