"""A run is named by its record, folder, id or name; its record says where it lies."""

import pytest

from qat.base.errors import UnknownNameError
from qat.notebook.run_folder import run_folder
from tests.stored_runs import a_record, store


def test_each_way_to_name_a_run_leads_to_its_folder(home):
    folder, record = store(home / "runs", a_record())
    for run in (record, folder, str(folder), folder.name, folder.name[:3]):
        assert run_folder(run) == folder


def test_a_record_of_another_folder_of_runs(home):
    overrides = ("mode=static", f"paths.runs='{home / 'other'}'")
    folder, record = store(home / "other", a_record(overrides=overrides))
    assert run_folder(record) == folder
    assert run_folder(a_record(), runs=home / "other") == folder
    with pytest.raises(UnknownNameError, match="no run"):
        run_folder(a_record())
