"""Requests of several runs: studies, launchers, and equal points, which run once."""

import pytest

from qat.config.compose import is_accepted
from qat.config.register import register_schema
from qat.config.words.command_line import known_words, sort_words
from qat.sweep.requested import run_requested
from qat.tables.errors import TableError
from tests.command_line import SMALL, TINY


def requested(*words):
    register_schema()
    return run_requested(known_words(sort_words(["-m", *words]), is_accepted))


@pytest.mark.slow
def test_a_sweep_takes_a_launcher_and_experiments(home, capsys):
    words = ["hydra/launcher=basic", "experiment=demo_float,demo_w8a8_static"]
    assert requested(*SMALL, *words).code == 0
    out = capsys.readouterr().out
    assert "\n2 runs; " in out  # after the lines about the data
    assert "| w8a8-minmax | static |" in out
    assert "| float" in out


@pytest.mark.slow
def test_points_of_equal_content_are_run_once(home, capsys):
    end = requested(*TINY, "mode=float", "measure.repeats=1,2")
    assert end.code == 0
    assert "\n2 runs, 1 different" in capsys.readouterr().out
    records = list((home / "runs").glob("*/run.json"))
    assert [folder.resolve() for folder in end.folders] == [path.parent for path in records]


def test_a_wrong_table_of_a_study_is_refused_before_the_first_run(home):
    words = [*TINY, "experiment=bitwidth", "scale=smoke", "seed=0"]
    with pytest.raises(TableError, match="no column 'drop'"):
        requested(*words, "study.table.values=[drop]")
    assert not list((home / "runs").glob("*/run.json"))
