"""A run's folder, by path, by id and by the beginning of an id."""

import pytest

from qat.config.run_dirs import run_dir
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs in a folder that the environment names."""
    monkeypatch.setenv("QAT_RUNS", str(tmp_path / "all"))
    for name in ("0123456789ab", "0199999999ff"):
        folder = RunFolder(tmp_path / "all" / name)
        folder.create()
        folder.write(RunRecord(name, "done", mode="static", seed=0))
    return tmp_path / "all"


def test_ids_are_looked_up_in_the_folder_of_runs(runs, tmp_path, monkeypatch):
    path = runs / "0123456789ab"
    assert run_dir("0123456789ab") == run_dir("012") == run_dir(str(path)) == path
    monkeypatch.setenv("QAT_RUNS", str(tmp_path / "other"))
    assert run_dir("012", runs) == path
    with pytest.raises(KeyError, match="012"):
        run_dir("012")


def test_a_beginning_of_several_ids_is_refused(runs):
    with pytest.raises(ValueError, match="01"):
        run_dir("01", str(runs))
