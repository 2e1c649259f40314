"""``qat.sweep`` is the command ``qat run -m``: the same runs, and nothing printed."""

import pytest

from qat.base.errors import RequestError
from qat.notebook.errors import RunFailedError, RunWarning
from qat.notebook.sweep import sweep
from qat.records.folder import RunFolder
from qat.sweep import job
from tests.command_line import TINY

pytestmark = pytest.mark.filterwarnings("ignore::qat.notebook.errors.RunWarning")  # of short runs
WORDS = [*TINY, "scheme=w8a8,w4a4"]


@pytest.fixture
def swept(finished):
    """The folders of two runs of the command, in the order of its points."""
    folder, _ = finished(*TINY, "mode=float")
    return folder.parent


@pytest.mark.slow
def test_the_records_are_those_that_the_command_finds(home, qat, capsys):
    records = sweep(*WORDS)
    assert capsys.readouterr() == ("", "")
    bits = [r.plan["layers"]["features.1.0"]["weight"]["bits"] for r in records]
    assert bits == [8, 4]  # in the order of the points
    code, out, _ = qat("run", "-m", *WORDS)
    assert code == 0
    assert "2 done before" in out
    assert [RunFolder(home / "runs" / r.id).read() for r in records] == records
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


@pytest.mark.slow
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
