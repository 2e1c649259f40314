"""The view of all runs, and what the module prints for make tensorboard."""

import runpy
import sys

from qat.report import all_view
from qat.report.all_view import write_all_view
from tests.stored_runs import a_record, store


def test_all_finished_runs_with_events_have_a_view_under_their_names(tmp_path):
    runs = tmp_path / "runs"
    for record in (a_record(), a_record("bbb222", seed=1), a_record("ccc333", seed=2)):
        folder, _ = store(runs, record)
        if record.seed < 2:
            (folder / "tb").mkdir()
    folder = write_all_view(runs)
    assert folder == tmp_path / "runs.tensorboard" / "all"
    names = {path.name for path in folder.iterdir()}
    assert names == {"_study", "w4a4-lsq-static-seed0", "w4a4-lsq-static-seed1"}
    assert not list(runs.glob(".tensorboard*"))  # TensorBoard would draw a view inside runs twice


def test_the_module_prints_the_folder_also_without_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["all_view", str(tmp_path / "runs")])
    runpy.run_path(all_view.__file__, run_name="__main__")
    assert capsys.readouterr().out.strip() == str(tmp_path / "runs.tensorboard" / "all")
