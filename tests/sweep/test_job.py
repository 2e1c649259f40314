"""One job: a finished run is shown and not computed, and the number of threads."""

from types import SimpleNamespace

import pytest
import torch

from qat.sweep import job
from qat.sweep.job import limit_threads, run_job
from tests.stored_runs import a_record, store


def prepared(folder, force=False):
    """What a job reads of a request whose run is finished."""
    tracking = SimpleNamespace(tensorboard=False, figures=False, logger=None)
    config = SimpleNamespace(force=force, tracking=tracking)
    return SimpleNamespace(id=folder.name, folder=folder, config=config, tracking=tracking)


@pytest.fixture
def never(monkeypatch):
    """Computing fails the test."""

    def compute(*_):
        raise AssertionError("a finished run is not computed")

    monkeypatch.setattr(job, "_computed", compute)


@pytest.mark.parametrize(("gate", "done"), [(None, True), ("passed", True), ("failed", False)])
def test_a_finished_run_is_shown_and_a_missed_gate_counts(home, never, capsys, gate, done):
    folder, _ = store(home / "runs", a_record(gate=gate))
    assert run_job(prepared(folder)) is done
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"record: {folder / 'run.json'}"
    assert ("missed its parity gate" in err) is not done


def test_in_a_sweep_only_warnings_are_printed(home, never, capsys):
    warned = a_record(environment={"warnings": ["training diverged"]})
    folder, _ = store(home / "runs", warned)
    assert run_job(prepared(folder), alone=False)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "qat: run aaa111 warns: training diverged\n")


def test_a_damaged_record_is_named_with_the_cure(home, never, capsys):
    folder, _ = store(home / "runs", a_record())
    (folder / "run.json").write_text("{")
    assert not run_job(prepared(folder))
    err = capsys.readouterr().err
    assert err.startswith("qat: run aaa111: ")
    assert err.endswith("force=true computes the run again\n")


def test_threads_are_limited_and_none_changes_nothing(one_thread):
    limit_threads(2)
    assert torch.get_num_threads() == 2
    limit_threads(None)
    assert torch.get_num_threads() == 2


def drawn(monkeypatch, **tracking):
    """The record of a job after a drawing that took two seconds by the clock."""
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(job, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(job, "_draw", lambda *_: None)
    outcome = SimpleNamespace(record=a_record(seconds={"float": 1.0}))
    request = SimpleNamespace(tracking=SimpleNamespace(**tracking), folder=None)
    return job._drawn(request, outcome, verbose=False)


def test_the_seconds_of_figures_are_on_the_record(monkeypatch):
    record = drawn(monkeypatch, figures=False, tensorboard=True)
    assert record.seconds == {"float": 1.0, "figures": 2.0}
    assert record.status == "done"


def test_a_run_without_figures_has_no_seconds_of_them(monkeypatch):
    assert drawn(monkeypatch, figures=False, tensorboard=False).seconds == {"float": 1.0}
