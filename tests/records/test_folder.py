"""Run folders: one writer at a time, and a true picture when it dies."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from qat.base.atomic import WriteError
from qat.records import lock
from qat.records.folder import RunFolder
from qat.records.lock import LockedError, holder, is_held
from qat.records.schema import RunRecord

HOLD = """
    import sys, time
    from pathlib import Path
    from qat.records.folder import RunFolder
    from qat.records.schema import RunRecord
    folder = RunFolder(Path(sys.argv[1]))
    with folder.lock():
        folder.write(RunRecord(id="ab", status="running", mode="qat", seed=0))
        print("held", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    """A process that holds the lock of ``tmp_path/run`` until it is killed."""
    command = [sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_told_who_was_first(tmp_path, other_process):
    folder = RunFolder(tmp_path / "run")
    words = f"process {other_process.pid} on {socket.gethostname()}; wait for it or stop it"
    with pytest.raises(LockedError, match=words), folder.lock():
        pytest.fail("two writers")
    assert folder.state() == "running"


def test_a_killed_run_reads_as_interrupted(tmp_path, other_process):
    folder = RunFolder(tmp_path / "run")
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert folder.state() == "interrupted"
    with folder.lock():
        assert holder(folder.path)["pid"] == os.getpid()


def test_the_lock_is_free_again_after_an_error(tmp_path):
    def die_while_writing():
        with RunFolder(tmp_path).lock():
            assert is_held(tmp_path)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        die_while_writing()
    assert not is_held(tmp_path)
    assert holder(tmp_path) == {}


def test_a_probe_turns_no_writer_away(tmp_path):
    code = (
        "import sys; from pathlib import Path; from qat.records.lock import is_held\n"
        "print('probing', flush=True)\n"
        "while True: is_held(Path(sys.argv[1]))"
    )
    with RunFolder(tmp_path).lock():
        pass
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as prober:
        try:
            assert prober.stdout.readline() == "probing\n"
            for _ in range(200):
                with RunFolder(tmp_path).lock():
                    pass
            assert prober.poll() is None
        finally:
            prober.kill()


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        pytest.param({"pid": os.getpid(), "host": socket.gethostname()}, True, id="alive"),
        pytest.param({"pid": 2**22 + 1, "host": socket.gethostname()}, False, id="dead"),
        pytest.param({"pid": 1, "host": "elsewhere"}, True, id="other host"),
        pytest.param({"host": socket.gethostname()}, False, id="no pid"),
        pytest.param({}, False, id="no word"),
    ],
)
def test_where_the_lock_cannot_be_opened_the_holder_file_decides(tmp_path, facts, held):
    # A folder in the lock's place cannot be opened for writing, as a file on a read-only disk.
    (tmp_path / lock.LOCK_NAME).mkdir()
    (tmp_path / lock.HOLDER_NAME).write_text(json.dumps(facts))
    assert is_held(tmp_path) is held


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(WriteError, match="could not write"),
        RunFolder(tmp_path / "file/run").lock(),
    ):
        pytest.fail("no folder")


def test_an_artifact_has_its_size_and_digest(tmp_path):
    folder = RunFolder(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.bin").write_bytes(b"abc")
    artifact = folder.artifact(tmp_path / "sub" / "x.bin")
    assert (artifact.path, artifact.bytes) == ("sub/x.bin", 3)
    assert artifact.sha256 == hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(ValueError, match="not in the run folder"):
        folder.artifact(tmp_path.parent / "other")


def test_a_record_goes_through_a_folder(tmp_path):
    folder = RunFolder(tmp_path / "ab").create()
    record = RunRecord(id="ab", status="done", mode="float", seed=0)
    assert folder.write(record) == folder.record_path
    assert folder.read() == record
    assert folder.state() == "done"
