"""The figures of a stored run's chosen widths."""

from qat.report.run_figures import run_figures
from tests.stored_runs import a_record, store


def test_a_run_without_chosen_widths_has_no_figures_of_them(tmp_path):
    folder, record = store(tmp_path, a_record())
    assert run_figures(record, folder) == {}
    folder, record = store(tmp_path, a_record(), allocation={"slots": []})
    (folder / "allocation.json").write_text("another file")
    assert run_figures(record, folder) == {}
