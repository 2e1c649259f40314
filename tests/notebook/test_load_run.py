"""A finished run as objects, named in any way."""

import pytest

from qat.base.errors import UnknownNameError
from qat.notebook.load_run import load_run
from qat.records.store import read_record
from tests.command_line import TINY


def test_a_run_is_loaded_by_its_record_and_by_its_id(finished):
    folder, _ = finished(*TINY, "mode=static")
    record = read_record(folder)
    for run in (record, folder, folder.name[:8]):
        loaded = load_run(run)
        assert loaded.record == record
        assert loaded.qnet is not None
    assert load_run(folder.name, runs=folder.parent).record == record


def test_an_unknown_run_is_named(home):
    with pytest.raises(UnknownNameError, match="no run 'absent'"):
        load_run("absent")
