"""Pairs of a run: said before, measured once, continued."""

import pytest

from qat.run.mixed import pairs
from qat.run.mixed.candidates import candidates
from qat.run.mixed.pairs import PAIR_OPTIONS, run_pairs
from qat.run.mixed.sensitivity import run_sensitivity

PASSES = 3 * 9  # three weights, two at a time, at three widths each


def disagreement(reference, logits, labels):
    """A user's metric."""
    return float((reference.argmax(1) != logits.argmax(1)).float().mean())


@pytest.fixture
def measure(make_choice):
    def run(**changes):
        metric = {"sensitivity__metric": "output_kl", "allocate__name": "clado"}
        request, source = make_choice(**{**metric, **changes})
        choice = candidates(request, source)
        return run_pairs(choice, run_sensitivity(request, source, choice.base))

    return run


def test_the_number_of_passes_is_said_once(measure, capsys):
    table = measure()
    assert len(table.rows) == PASSES
    assert f"allocate=clado: {PASSES} forward passes over 8 images" in capsys.readouterr().err
    assert measure(seed=1).rows == table.rows
    assert measure(sensitivity__metric="loss_increase").rows == table.rows  # scored with the first
    assert capsys.readouterr().err == ""  # from the cache


def test_an_interrupted_measurement_continues(measure, monkeypatch, capsys):
    whole = pairs.pair_sensitivities

    def until_the_fourth(*args, keep, **words):
        count = []

        def keep_row(row):
            keep(row)
            count.append(row)
            if len(count) == 4:
                raise RuntimeError("interrupted")

        return whole(*args, keep=keep_row, **words)

    monkeypatch.setattr(pairs, "pair_sensitivities", until_the_fourth)
    with pytest.raises(RuntimeError, match="interrupted"):
        measure()
    monkeypatch.setattr(pairs, "pair_sensitivities", whole)
    capsys.readouterr()
    table = measure()
    assert f"{PASSES - 4} forward passes" in capsys.readouterr().err
    assert len({row.pair for row in table.rows}) == PASSES


def test_reach_and_widths_are_their_own_tables(measure):
    assert len(measure(allocate__options={"reach": 1}).rows) == 2 * 9
    assert len(measure(sensitivity__widths=[4, 8]).rows) == 3 * 4
    assert set(PAIR_OPTIONS) == {"psd", "reach"}


def test_a_table_by_another_metric_is_refused_before_any_pass(make_choice, monkeypatch):
    request, source = make_choice(sensitivity__metric="output_kl", allocate__name="clado")
    choice = candidates(request, source)
    other = make_choice(sensitivity__metric="loss_increase")[0]
    table = run_sensitivity(other, source, choice.base)
    monkeypatch.setattr(pairs, "pair_sensitivities", None)
    with pytest.raises(ValueError, match=r"sensitivity\.table is by loss_increase, and pairs are"):
        run_pairs(choice, table)


def test_a_users_metric_is_measured_each_time(measure, capsys):
    user = {"sensitivity__metric": "user", "sensitivity__target": f"{__name__}:disagreement"}
    first = measure(**user)
    assert first.rows[0].scores.keys() == {"disagreement"}
    capsys.readouterr()
    measure(**user)
    assert f"{PASSES} forward passes" in capsys.readouterr().err
