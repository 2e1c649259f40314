"""A search runs the missing trials and ends with its Pareto front."""

from types import SimpleNamespace

import pytest

from qat.records.studies import add_to_study
from qat.sweep.adaptive import SCALE, SearchPlan
from qat.sweep.search import run_search
from tests.stored_runs import a_record, store

SWEEPER = SimpleNamespace(storage=None)


@pytest.fixture
def points(home, monkeypatch):
    """The checked points of a search whose study has three runs; no figures are drawn."""
    monkeypatch.setattr("qat.report.study_figures.write_study_figures", lambda *_: ["a.png"])
    for id_, weight, top1, size in (("a", 8, 0.9, 300), ("b", 4, 0.8, 200), ("c", 2, 0.7, 250)):
        metrics = {"top1": top1, "packed_bytes": size}
        store(home / "runs", a_record(id_, weight=weight, metrics=metrics))
    add_to_study(home / "runs", "it", SCALE, ["a", "b", "c"])
    paths = SimpleNamespace(runs=str(home / "runs"))
    return [
        SimpleNamespace(config=SimpleNamespace(paths=paths, objectives=["top1", "packed_bytes"]))
    ]


def test_the_front_is_printed_after_the_missing_trials(points, capsys):
    started = []
    code = run_search(SearchPlan("it", 1, 2, ()), SWEEPER, points, lambda: started.append(1) or 0)
    lines = capsys.readouterr().out.splitlines()
    assert (code, started) == (0, [1])
    assert lines[0] == "it: 1 trial done before, 2 to go"
    assert lines[1] == "Pareto front of top1, packed_bytes: 2 of 3 runs"  # c is beaten by b
    assert sum("| static |" in line for line in lines) == 2
    assert lines[-1] == "a.png"


def test_a_complete_search_starts_nothing_and_a_failed_run_gives_code_1(points, home, capsys):
    def start():
        raise AssertionError("no trial is missing")

    plan = SearchPlan("it", 3, 0, ())
    assert run_search(plan, SWEEPER, points, start) == 0
    store(home / "runs", a_record("d", status="failed", error="it broke", metrics={}))
    add_to_study(home / "runs", "it", SCALE, ["d"])
    assert run_search(plan, SWEEPER, points, start) == 1
