"""The last lines of a finished run, from its stored record."""

from qat.base.exit_codes import DONE, FAILED
from qat.records.folder import RunFolder
from qat.sweep.shown import show_finished, show_warnings
from tests.stored_runs import a_record, store


def test_a_finished_run_is_shown_with_its_record_and_the_next_commands(tmp_path, capsys):
    folder, _ = store(tmp_path, a_record())
    assert show_finished(RunFolder(folder), has_page=False) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"record: {folder / 'run.json'}"
    assert lines[-2].startswith("next: qat show ")
    assert str(folder) in lines[-2]
    assert not list(folder.glob("tb/*"))


def test_a_missed_gate_is_a_failure(tmp_path, capsys):
    folder, record = store(tmp_path, a_record(gate="failed"))
    assert show_finished(RunFolder(folder), has_page=False) == FAILED
    assert f"run {record.id} missed its parity gate" in capsys.readouterr().err


def test_warnings_name_their_run(capsys):
    record = a_record(environment={"warnings": ["conv1: clipped"]})
    show_warnings(record)
    assert f"run {record.id} warns: conv1: clipped" in capsys.readouterr().err
