"""Points of a sweep that were composed before are read, and equal those composed anew."""

import pytest

from qat.config.compose import compose_points
from qat.config.words.command_line import Words
from qat.records.cache import Cache
from qat.sweep import kept_points as module
from qat.sweep.kept_points import keep_points, kept_points

SWEEP = ("mode=static", "scheme=w8a8,w4a4", "observer@scheme.act=minmax,mse", "seed=0,1")


def words(*overrides, extra_dir=None, multirun=True):
    return Words(overrides, multirun, extra_dir, None)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("QAT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("QAT_RUNS", str(tmp_path / "runs"))


def kept(line):
    points = compose_points(line.overrides, True, line.extra_dir)
    keep_points(line, points)
    return points


@pytest.mark.parametrize(
    "line",
    [
        SWEEP,
        pytest.param(("experiment=bitwidth",), marks=pytest.mark.slow),
        ("seed=1,2", "float=smoke"),
    ],
)
def test_kept_points_equal_composed_ones(line):
    assert kept_points(words(*line)) is None
    points = kept(words(*line))
    found = kept_points(words(*line))
    assert found == points
    assert [type(a.config.scheme.rules) for a in found] == [list] * len(points)
    assert repr(found) == repr(points)  # 1 and 1.0 are equal, but not the same setting


@pytest.mark.slow
def test_other_words_variables_and_files_are_composed_anew(tmp_path, monkeypatch):
    kept(words(*SWEEP))
    assert kept_points(words(*SWEEP, "kernel=eager")) is None
    assert kept_points(words(*SWEEP, multirun=False)) is None
    monkeypatch.setenv("QAT_DATA", str(tmp_path))
    assert kept_points(words(*SWEEP)) is None
    monkeypatch.delenv("QAT_DATA")
    (tmp_path / "mine" / "scheme").mkdir(parents=True)
    assert kept_points(words(*SWEEP, extra_dir=tmp_path / "mine")) is None
    mine = words(*SWEEP, extra_dir=tmp_path / "mine")
    kept(mine)
    assert kept_points(mine) is not None
    (tmp_path / "mine" / "scheme" / "own.yaml").write_text("name: own\n")
    assert kept_points(mine) is None


def test_another_program_composes_anew(monkeypatch):
    kept(words(*SWEEP))
    monkeypatch.setattr(module, "_program", lambda: "another")
    assert kept_points(words(*SWEEP)) is None


@pytest.mark.slow
def test_values_of_other_resolvers_are_not_kept(tmp_path):
    (tmp_path / "own.yaml").write_text("a: ${now:%Y}\n")
    line = words(*SWEEP, extra_dir=tmp_path)
    kept(line)
    assert kept_points(line) is None


def test_the_cache_of_the_command_line_is_used(tmp_path):
    line = words(*SWEEP, f"paths.cache={tmp_path / 'other'}")
    kept(line)
    assert (tmp_path / "other" / "points").is_dir()
    assert not (tmp_path / "cache").exists()


def test_what_json_cannot_hold_and_damaged_entries_are_composed_anew(monkeypatch):
    line = words("seed=0,1")
    points = compose_points(line.overrides, True)
    points[0].config.data.options = {1: "a number as key"}
    keep_points(line, points)
    assert kept_points(line) is None
    kept(line)
    (path,) = Cache(module.default_path("cache")).root.glob("points/*[0-9a-f].json")
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 7', 1))
    assert kept_points(line) is None
    path.unlink()
    assert kept_points(line) is None
