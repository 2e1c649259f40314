from pathlib import Path
from time import sleep

from qat.records.studies import add_to_study, forget_outdated, runs_of, scales_of, studies

TICK_S = 0.02
"""Files that are written within one tick of the kernel have one time."""


def test_an_index_holds_each_run_once_and_in_order(tmp_path):
    add_to_study(tmp_path, "bits", "quick", ["b", "a"])
    add_to_study(tmp_path, "bits", "quick", ["c", "b"])
    assert sorted(path.name for path in runs_of(tmp_path, "bits", "quick")) == ["a", "b", "c"]
    assert runs_of(tmp_path, "bits", "quick")[0].parent == tmp_path
    assert studies(tmp_path) == ["bits"]


def test_the_scale_last_asked_for_comes_first(tmp_path):
    add_to_study(tmp_path, "bits", "smoke", ["a"])
    sleep(TICK_S)
    add_to_study(tmp_path, "bits", "quick", ["b"])
    assert scales_of(tmp_path, "bits") == ["quick", "smoke"]
    sleep(TICK_S)
    add_to_study(tmp_path, "bits", "smoke", ["a"])
    assert scales_of(tmp_path, "bits") == ["smoke", "quick"]


def test_nothing_is_no_error(tmp_path):
    assert studies(tmp_path) == []
    assert scales_of(tmp_path, "it") == []
    assert runs_of(Path("nowhere"), "it", "quick") == []


def test_what_a_request_no_longer_stands_for_is_forgotten_unless_it_ran(tmp_path):
    (tmp_path / "done").mkdir()
    add_to_study(tmp_path, "bits", "quick", ["done", "old", "shared"], "first")
    add_to_study(tmp_path, "bits", "quick", ["shared", "other"], "second")
    add_to_study(tmp_path, "bits", "quick", ["older"])  # as before there were words
    forget_outdated(tmp_path, "bits", "quick", ["new"], "first")
    assert ids(tmp_path) == {"done", "shared", "other"}
    forget_outdated(tmp_path, "bits", "quick", ["other"], "second")
    assert ids(tmp_path) == {"done", "other"}


def ids(runs):
    return {path.name for path in runs_of(runs, "bits", "quick")}
