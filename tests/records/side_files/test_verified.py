"""A file beside a record: the run's own by its digest, or refused by name."""

import hashlib
import os

import pytest

from qat.records.schema import Artifact, RunRecord
from qat.records.side_files.verified import SideFileError, read_content, side_file


def record(**artifacts):
    return RunRecord(id="a", status="done", mode="float", seed=0, artifacts=artifacts)


def test_a_file_is_verified_if_the_record_has_its_digest(tmp_path):
    (tmp_path / "plan.json").write_bytes(b"{}")
    artifact = Artifact("plan.json", 2, hashlib.sha256(b"{}").hexdigest())
    file = side_file(tmp_path, record(plan=artifact), "plan", "other.json")
    assert (file.path, file.content, file.verified) == (tmp_path / "plan.json", b"{}", True)
    file = side_file(tmp_path, record(), "plan", "plan.json")
    assert (file.content, file.verified) == (b"{}", False)
    assert side_file(tmp_path, record(), "plan", "none.json") is None


def test_another_content_and_a_file_that_is_gone_are_refused_by_name(tmp_path):
    artifact = Artifact("plan.json", 2, hashlib.sha256(b"{}").hexdigest())
    with pytest.raises(SideFileError, match=r"plan\.json is gone"):
        side_file(tmp_path, record(plan=artifact), "plan", "plan.json")
    (tmp_path / "plan.json").write_bytes(b"[]")
    with pytest.raises(SideFileError, match=r"plan\.json is not the file .* SHA-256 differs"):
        side_file(tmp_path, record(plan=artifact), "plan", "plan.json")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SideFileError, match="pipe is a pipe, not a file"):
        read_content(tmp_path / "pipe")
    with pytest.raises(SideFileError, match="is a folder, not a file"):
        read_content(tmp_path)
