"""Sensitivities of a run: measured once, saved row by row."""

import math

import pytest

from qat.run.mixed import sensitivity
from qat.run.mixed.candidates import candidates
from qat.run.mixed.sensitivity import run_sensitivity


def disagreement(reference, logits, labels):
    """A user's metric."""
    return float((reference.argmax(1) != logits.argmax(1)).float().mean())


NOT_CALLABLE = 3


@pytest.fixture
def measure(make_choice):
    def run(**changes):
        request, source = make_choice(**changes)
        return run_sensitivity(request, source, candidates(request, source).base)

    return run


def test_the_error_of_a_weight_by_hand(measure, make_choice):
    table = measure()
    weight = make_choice()[1].net.second.weight.detach().double()
    for bits in (2, 4, 8):
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        scale = max(float(weight.max()) / high, float(weight.min()) / low)
        error = (weight / scale).round().clamp(low, high) * scale - weight
        score = table.scores["second", "weight", bits]
        assert score == pytest.approx(float(error.square().mean()), rel=1e-3)


def test_rows_of_an_interrupted_measurement_are_not_measured_again(measure, monkeypatch, tmp_path):
    whole, rows = sensitivity.sensitivities, []

    def until_the_fourth(*args, keep, **words):
        def keep_row(metric, row):
            keep(metric, row)
            rows.append(row)
            if len(rows) == 4:
                raise RuntimeError("interrupted")

        return whole(*args, keep=keep_row, **words)

    monkeypatch.setattr(sensitivity, "sensitivities", until_the_fourth)
    with pytest.raises(RuntimeError, match="interrupted"):
        measure()
    [saved] = (tmp_path / "cache" / "sensitivity").glob("*.rows.jsonl")
    saved.write_text(saved.read_text() + '{"layer": "sec')  # the next line is incomplete
    assert len(measure().rows) == 9
    assert len(rows) == 9
    assert not saved.exists()
    monkeypatch.setattr(sensitivity, "sensitivities", None)
    assert list(measure().rows) == rows  # from the cache


def test_a_users_metric_has_its_functions_name(measure):
    user = {"sensitivity__metric": "user", "sensitivity__target": f"{__name__}:disagreement"}
    table = measure(**user)
    assert (table.metric, table.unit) == ("disagreement", "")
    shares = {row.score * 8 for row in table.rows}
    assert all(math.isclose(share, round(share)) for share in shares)  # of eight images


def test_a_users_metric_that_is_no_function_is_refused(measure):
    user = {"sensitivity__metric": "user", "sensitivity__target": f"{__name__}:NOT_CALLABLE"}
    with pytest.raises(ValueError, match="must be a function of"):
        measure(**user)


def test_a_table_of_another_network_is_refused(measure, tmp_path):
    path = tmp_path / "table.json"
    table = measure()
    table.save(path)
    assert measure(sensitivity__table=str(path)).rows == table.rows
    with pytest.raises(ValueError, match="another network"):
        measure(sensitivity__table=str(path), float__seed=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "table.json"), ("[]", "table.json"), ('{"version": 9}', "version must")],
)
def test_a_file_that_is_no_table_is_refused(measure, tmp_path, text, message):
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"sensitivity\.table=.*{message}"):
        measure(sensitivity__table=str(path))


def test_a_table_is_measured_once_for_all_allocators_and_seeds(measure, monkeypatch):
    table, whole = measure(), sensitivity.sensitivities
    monkeypatch.setattr(sensitivity, "sensitivities", None)
    assert measure(seed=1, allocate__name="greedy", mixed__then="qat").rows == table.rows
    monkeypatch.setattr(sensitivity, "sensitivities", whole)
    assert measure(sensitivity__widths=[4, 8]).digest == table.digest
    assert measure(sensitivity__images=4).digest != table.digest
