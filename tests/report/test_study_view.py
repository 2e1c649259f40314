"""A study's TensorBoard view from its index and its records."""

import pytest

from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.studies import add_to_study
from qat.report.study_view import write_study_view

LAYOUT = {"columns": ["mode", "top1"]}


@pytest.fixture
def runs(tmp_path):
    """Two finished runs, one that failed, one without events: all of a study."""
    for id_, status, events in (
        ("aaa", "done", True),
        ("bbb", "done", True),
        ("ccc", "failed", True),
        ("ddd", "done", False),
    ):
        folder = RunFolder(tmp_path / id_).create()
        folder.write(
            RunRecord(
                id=id_,
                status=status,
                mode="float",
                seed=ord(id_[0]) - ord("a"),
                error="it broke" if status == "failed" else None,
                metrics={"top1": 0.875, "packed_bytes": 1000} if status == "done" else {},
            )
        )
        if events:
            (folder.path / "tb").mkdir()
    add_to_study(tmp_path, "it", "quick", ["aaa", "bbb", "ccc", "ddd"])
    return tmp_path


def page_of(folder):
    [path] = [p for p in (folder / "_study").glob("events*") if p.suffix != ".columns"]
    return path


def shown(folder):
    return sorted(path.name for path in folder.iterdir())


def test_finished_runs_with_events_are_shown(runs):
    folder = write_study_view(runs, "it", "quick", LAYOUT)
    assert folder == runs.with_name(f"{runs.name}.tensorboard") / "it-quick"
    assert shown(folder) == ["_study", "float-seed0", "float-seed1"]
    events = page_of(folder).read_bytes()
    assert b"87.50" in events  # the table
    assert b"0 all runs/1 accuracy_size" in events


def test_nothing_to_show_makes_no_folder(runs):
    assert write_study_view(runs, "it", "paper", LAYOUT) is None
    assert write_study_view(runs, "other", "quick", LAYOUT) is None
    assert not (runs.with_name(f"{runs.name}.tensorboard")).exists()


def test_a_table_that_cannot_be_made_is_told_on_thepage_of(runs):
    folder = write_study_view(runs, "it", "quick", {"columns": ["topp1"]})
    assert b"no table: " in page_of(folder).read_bytes()


def test_a_view_that_cannot_be_written_is_told_and_fails_nothing(runs, capsys):
    (runs.with_name(f"{runs.name}.tensorboard")).write_text("a file in the way")
    assert write_study_view(runs, "it", "quick", LAYOUT) is None
    assert "no TensorBoard view of the study: could not write" in capsys.readouterr().err


def test_a_foreign_record_under_an_id_of_the_study_is_passed_over(runs):
    RunFolder(runs / "bbb").write(RunRecord(id="zzz", status="done", mode="float", seed=5))
    assert shown(write_study_view(runs, "it", "quick", LAYOUT)) == ["_study", "float-seed0"]
