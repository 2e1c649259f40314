"""What can go from runs and cache: told with its reason and size, deleted if it still may."""

import os

import pytest

from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.waste import delete, half_written, links_among, size, waste_of_cache, waste_of_runs


def run(folder, status="done"):
    RunFolder(folder).create().write(RunRecord(id="a", status=status, mode="static", seed=0))
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "last.ckpt").write_bytes(b"12345")
    return folder


def listed(waste):
    return [(one.path.name, one.reason, one.bytes) for one in waste]


def test_checkpoints_of_finished_runs_and_folders_without_a_run_can_go(tmp_path):
    run(tmp_path / "done")
    run(tmp_path / "failing", status="running")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "run.lock").touch()
    (tmp_path / ".studies").mkdir()
    waste = list(waste_of_runs(tmp_path))
    assert listed(waste) == [
        ("checkpoints", "checkpoints of a finished run", 5),
        ("empty", "no run ever started in it", 0),
    ]
    assert [delete(one) for one in waste] == [True, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".studies", "done", "failing"]
    assert (tmp_path / "done" / "run.json").exists()
    assert not (tmp_path / "done" / "checkpoints").exists()


def test_what_is_needed_after_all_stays(tmp_path):
    (tmp_path / "empty").mkdir()
    waste = list(waste_of_runs(tmp_path))
    run(tmp_path / "empty")
    assert [delete(one) for one in waste] == [False]
    assert (tmp_path / "empty" / "run.json").exists()


@pytest.mark.parametrize("name", [".run.json.123-0123abcd.tmp", ".x.12", "net.onnx.part"])
def test_files_that_are_named_as_while_written_are_left_half_written(tmp_path, name):
    (tmp_path / name).write_bytes(b"abc")
    (tmp_path / "run.json").touch()
    assert half_written(tmp_path) == [tmp_path / name]
    kind = tmp_path / "cache" / "float"
    kind.mkdir(parents=True)
    (kind / name).write_bytes(b"abc")
    assert listed(waste_of_cache(tmp_path / "cache")) == [(name, "left half written", 3)]


def test_a_file_with_another_name_frees_nothing_and_links_are_not_followed(tmp_path):
    folder = tmp_path / "it"
    folder.mkdir()
    (folder / "a").write_bytes(b"1234")
    (folder / "b").write_bytes(b"12")
    os.link(folder / "b", tmp_path / "b too")
    assert (size(folder / "a"), size(folder / "b"), size(folder)) == (4, 0, 4)
    (folder / "link").symlink_to(tmp_path)
    assert links_among(tmp_path) == [folder / "link"]
    assert links_among(tmp_path / "none") == []
