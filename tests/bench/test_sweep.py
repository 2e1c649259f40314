"""The sweep benchmark: its words are those of today, and what it reports."""

import json

import pytest

from bench import _commands, sweep
from bench._jobs import GRID, grid_points, grid_words
from tests.bench.conftest import SMALL

TINY = [*SMALL, "--calls", "1"]


@pytest.mark.slow
@pytest.mark.usefixtures("commands_here")
def test_a_small_sweep_end_to_end(monkeypatch, tmp_path, capsys):
    words = []
    run = _commands.run_qat
    monkeypatch.setattr(_commands, "run_qat", lambda w, *rest: words.append(w) or run(w, *rest))
    sweep.main([*TINY, "--out", str(tmp_path / "sweep.json")])
    results = json.loads((tmp_path / "sweep.json").read_text())["results"]
    assert results["points"] == 3
    assert results["call_seconds"]["n"] == 1
    assert results["ratio"] == results["sweep_seconds"] / (3 * results["call_seconds"]["median"])
    grid = ["-m", "scheme=w8a8,w6a6,w4a4"]
    assert [word[-2:] == grid for word in words] == [False, False, False, True, True]
    assert "sweep_seconds" in capsys.readouterr().out


def test_the_grid_has_48_points():
    assert len(grid_points()) == 48 == len({tuple(point) for point in grid_points()})
    assert len(grid_words()) == 1 + len(GRID)


@pytest.mark.slow
def test_in_processes_of_its_own(home, capsys):
    sweep.main(TINY)
    assert '"points": 3' in capsys.readouterr().out
