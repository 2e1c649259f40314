"""Lines from the files beside a record: each is verified, and a bad one hides no other."""

import pytest

from qat.report.run_files import (
    deployment_lines,
    deployment_markdown,
    memory_of,
    sensitivities_of,
)
from tests.side_files import SENSITIVITY, UNPLANNED
from tests.stored_runs import a_record, store

MEMORY = UNPLANNED | {"unplanned": "control | flow"}


@pytest.fixture
def stored(tmp_path):
    return store(tmp_path, a_record(), memory=MEMORY, sensitivity=SENSITIVITY)


def test_lines_as_text_and_as_a_markdown_list(stored):
    assert deployment_lines(*stored) == ["memory is not planned: control | flow"]
    assert deployment_markdown(*stored).startswith("\n- memory is not planned: control ")
    assert memory_of(*stored).unplanned == "control | flow"
    assert sensitivities_of(*stored).rows[0].cells[2].mean == 0.5


def test_a_damaged_file_is_named_and_reads_as_nothing(stored):
    folder, record = stored
    for name in ("memory.json", "sensitivity.json"):
        (folder / name).write_text("{")
    (line,) = deployment_lines(folder, record)
    assert line.startswith("skipped: ")
    assert "memory.json" in line
    assert memory_of(folder, record) is None
    assert sensitivities_of(folder, record) is None


def test_a_file_without_a_digest_is_called_unverified(tmp_path):
    folder, record = store(tmp_path, a_record())
    (folder / "parity.json").write_text("[]")
    lines = deployment_lines(folder, record)
    assert lines[-1] == "unverified, the record has no digest of parity.json"
