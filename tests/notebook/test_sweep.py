"""``qat.sweep`` is the command ``qat run -m``: the same runs, and nothing printed."""

import shutil

import pytest

from qat.base.errors import RequestError
from qat.notebook.errors import RunFailedError, RunWarning
from qat.notebook.sweep import sweep
from qat.records.folder import RunFolder
from qat.sweep import job
from tests.command_line import TINY
from tests.notebook.test_run import without_times

WORDS = [*TINY, "scheme=w8a8,w4a4"]


@pytest.fixture
def swept(finished):
    """The folders of two runs of the command, in the order of its points."""
    folder, _ = finished(*TINY, "mode=float")
    return folder.parent


def test_the_records_are_those_of_the_command(home, qat, capsys):
    assert qat("run", "-m", *WORDS)[0] == 0
    commands = {
        p.parent.name: RunFolder(p.parent).read() for p in (home / "runs").glob("*/run.json")
    }
    for name in ("runs", "cache"):
        shutil.rmtree(home / name)
    records = sweep(*WORDS)
    assert capsys.readouterr() == ("", "")
    assert len(records) == 2
    for record in records:
        assert without_times(record) == without_times(commands[record.id])
    bits = [r.plan["layers"]["features.1.0"]["weight"]["bits"] for r in records]
    assert bits == [8, 4]  # in the order of the points
    assert sweep(*WORDS) == records  # read, not computed


def test_a_failed_run_is_returned_and_warned_of(swept, monkeypatch, capsys):
    execute = job.execute

    def sometimes(prepared, *arguments):
        if prepared.config.scheme.weight.bits == 8:
            raise ZeroDivisionError("in a stage")
        return execute(prepared, *arguments)

    monkeypatch.setattr(job, "execute", sometimes)
    with pytest.warns(RunWarning, match=r"failed: .* in a stage"):
        failed, done = sweep(*WORDS)
    assert (failed.status, done.status) == ("failed", "done")
    assert "in a stage" in failed.error
    assert capsys.readouterr() == ("", "")


def test_a_run_that_never_starts_is_an_error(swept, monkeypatch):
    monkeypatch.setattr("qat.sweep.launch.launch_here", lambda points: None)
    with (
        pytest.warns(RunWarning, match="not started"),
        pytest.raises(RunFailedError, match=r"2 of 2 runs were not started"),
    ):
        sweep(*WORDS)


def test_a_wrong_point_starts_nothing(swept):
    before = sorted(swept.iterdir())
    with pytest.raises(RequestError, match=r"point .*bits"):
        sweep(*TINY, "scheme.weight.bits=4,99")
    assert sorted(swept.iterdir()) == before
