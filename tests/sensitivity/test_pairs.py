"""Interactions by hand, and tables as files."""

import math

import pytest

from qat.sensitivity.pairs import PairRow, PairTable
from qat.sensitivity.table import SensitivityRow, SensitivityTable

A, B = ("a", "weight"), ("b", "act")


def single(metric, unit, higher_is_worse, *scores, digest="d"):
    rows = [SensitivityRow(*slot, 2, score) for slot, score in zip((A, B), scores, strict=False)]
    return SensitivityTable(metric, unit, higher_is_worse, digest, tuple(rows))


def pairs(**scores):
    return PairTable("d", (PairRow(*A, 2, *B, 2, scores),))


def test_interactions_by_hand():
    table = pairs(output_kl=1.5, loss_increase=4.0)
    assert table.interactions(single("output_kl", "nats", True, 1.0, 2.0)) == {(A, 2, B, 2): -1.5}
    assert table.interactions(single("loss_increase", "nats", True, 1, 2)) == {(A, 2, B, 2): 1.0}


def test_noise_powers_of_decibels_are_compared():
    table = pairs(output_sqnr=0.0).interactions(single("output_sqnr", "dB", False, 10.0, 20.0))
    assert table[A, 2, B, 2] == pytest.approx(1 - 0.1 - 0.01)


def test_errors_that_cancel_wholly_leave_an_infinite_quality():
    table = pairs(output_sqnr=math.inf).interactions(single("output_sqnr", "dB", False, 10.0, 10.0))
    assert table[A, 2, B, 2] == pytest.approx(-0.2)


def test_an_infinite_harm_has_no_interaction():
    table = pairs(loss_increase=3.0)
    assert table.interactions(single("loss_increase", "nats", True, math.inf, 1.0)) == {}


def test_tables_that_do_not_belong_together_are_refused():
    table = pairs(output_kl=1.5)
    with pytest.raises(
        ValueError, match="by output_kl need single sensitivities by one of these, got fisher"
    ):
        table.interactions(single("fisher", "nats", True, 1.0, 2.0))
    with pytest.raises(ValueError, match="belongs to another network"):
        table.interactions(single("output_kl", "nats", True, 1.0, 2.0, digest="other"))
    with pytest.raises(ValueError, match="the table of single tensors lacks"):
        table.interactions(single("output_kl", "nats", True, 1.0))


def test_a_saved_table_is_read_again(tmp_path):
    first = PairRow(*A, 2, *B, 4, {"output_sqnr": math.inf, "output_kl": 0.0})
    table = PairTable("d", (first, PairRow(*A, 4, *B, 4, {"output_sqnr": 0.1, "output_kl": 0.2})))
    table.save(tmp_path / "pairs.json")
    assert PairTable.load(tmp_path / "pairs.json") == table
    (tmp_path / "pairs.json").write_text('{"version": 0}')
    with pytest.raises(ValueError, match="pair table version must be 2, got 0"):
        PairTable.load(tmp_path / "pairs.json")


def test_nan_is_refused():
    with pytest.raises(ValueError, match=r"^kl of a \(weight, 2 bits\) together with b \("):
        PairRow(*A, 2, *B, 4, {"mse": 1.0, "kl": math.nan})
