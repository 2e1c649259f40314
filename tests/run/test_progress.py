"""A stage is shown while it runs."""

import pytest

from qat.records.stage import noted_stage
from qat.run import progress


@pytest.fixture
def clock(monkeypatch):
    """Let a stage last so many seconds."""

    def last(seconds):
        times = iter((100.0, 100.0 + seconds))
        monkeypatch.setattr(progress.time, "perf_counter", lambda: next(times))

    return last


@pytest.mark.parametrize(
    ("seconds", "verbose", "line"),
    [(120, True, "[calibration] ... 2 min\n"), (0.9, True, ""), (120, False, "")],
)
def test_a_line_for_a_stage_of_a_second_or_more(clock, capsys, seconds, verbose, line):
    clock(seconds)
    with progress.stage("calibration", verbose=verbose):
        assert capsys.readouterr().err == ""
    assert capsys.readouterr().err == line


def test_other_processes_read_the_stage_from_the_folder(tmp_path):
    with progress.stage("float_evaluation", tmp_path):
        assert noted_stage(tmp_path).name == "float_evaluation"
