"""Paths are expanded in place, and runs are found by id."""

import pytest

from qat.config.paths import settle_paths
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord


def test_the_home_folder_is_put_in_and_nothing_else_changes(config, monkeypatch):
    monkeypatch.setenv("HOME", "/home/of")
    changed = config({"data.path": "~/x.npz", "paths.runs": "./runs", "study.question": "~"})
    settle_paths(changed)
    assert changed.data.path == "/home/of/x.npz"
    assert changed.paths.runs == "./runs"
    assert changed.study.question == "~"
    assert changed.model.checkpoint is None


def test_runs_of_latencies_are_found_by_the_beginning_of_their_id(config, tmp_path):
    folder = RunFolder(tmp_path / "0123456789ab")
    folder.create()
    folder.write(RunRecord("0123456789ab", "done", mode="static", seed=0))
    changed = config({"paths.runs": str(tmp_path), "allocate.latency_runs": ["0123"]})
    settle_paths(changed)
    assert changed.allocate.latency_runs == [str(tmp_path / "0123456789ab")]
    changed.allocate.latency_runs = ["f00"]
    with pytest.raises(KeyError, match="f00"):
        settle_paths(changed)
