"""Records on disk: whole or not at all, found, and damaged ones named."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qat.base.atomic import WriteError
from qat.base.reading import read_json
from qat.records import store
from qat.records.folder import RunFolder
from qat.records.schema import RecordError, RunRecord
from qat.records.store import find_records, read_record, write_record


def record(**changes):
    return RunRecord(
        **{"id": "0123456789ab", "status": "done", "mode": "static", "seed": 0} | changes
    )


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_what_is_written_is_read(tmp_path):
    full = record(metrics={"top1": 0.1 + 0.2, "macs": 3}, overrides=("a=ü",))
    path = write_record(full, tmp_path / "run")
    assert read_record(path) == full
    assert read_record(tmp_path / "run") == full
    assert names(tmp_path / "run") == ["run.json"]


@pytest.mark.parametrize("step", ["write_text", "replace"])
def test_a_full_disk_leaves_the_old_record(tmp_path, monkeypatch, step):
    write_record(record(metrics={"top1": 0.5}), tmp_path)

    def full(self, *args, **kwargs):
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, step, full)
        with pytest.raises(WriteError, match=r"run\.json: No space left.*free space") as error:
            write_record(record(metrics={"top1": 0.9}), tmp_path)
    assert error.value.errno == errno.ENOSPC
    assert "\n" not in str(error.value)
    assert read_record(tmp_path).metrics == {"top1": 0.5}
    assert names(tmp_path) == ["run.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
def test_a_disk_that_is_really_full(tmp_path, monkeypatch):
    write_record(record(), tmp_path)
    original = Path.write_text
    monkeypatch.setattr(
        Path, "write_text", lambda self, text, **kw: original(Path("/dev/full"), text, **kw)
    )
    with pytest.raises(WriteError, match="No space left"):
        write_record(record(seed=5), tmp_path)
    assert read_record(tmp_path).seed == 0


def test_a_record_that_json_cannot_hold_is_refused(tmp_path):
    with pytest.raises(RecordError, match="0123456789ab holds what JSON cannot"):
        write_record(record(seconds={"fit": float("nan")}), tmp_path)
    assert names(tmp_path) == []


def test_interrupted_is_never_stored(tmp_path):
    with pytest.raises(RecordError, match="never stored"):
        write_record(record(status="interrupted"), tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b'{"schema_version": 1, "id": "ab', "damaged", id="cut"),
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(b"\xff\xfe\x00", "damaged", id="bytes"),
        pytest.param(b"[1]", "not a run record", id="list"),
        pytest.param(b'{"name": "other tool"}', "not a run record", id="foreign"),
        pytest.param(b'{"schema_version": 99}', "newer than", id="newer"),
        pytest.param(b'{"schema_version": 1, "metrics": {"top1": NaN}}', "damaged: NaN", id="nan"),
    ],
)
def test_what_is_no_record_is_told_in_one_line(tmp_path, content, words):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=words) as error:
        read_record(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_record_is_told(tmp_path):
    with pytest.raises(RecordError, match="no such record"):
        read_record(tmp_path)


def test_records_are_found_and_damaged_ones_named(tmp_path):
    for depth, name in [
        ("a", "1"),
        ("b/c", "2"),
        ("b/c/d", "3"),
        ("1/2/3/4/5/6", "4"),
        (".hid", "5"),
    ]:
        write_record(record(id=name), tmp_path / depth)
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "run.json").write_text("{")
    records, problems = find_records([tmp_path, tmp_path / "a", tmp_path / "nowhere"])
    # d lies inside the run folder c, 6 too deep, .hid is hidden
    assert [r.id for r in records] == ["1", "2"]
    assert [p.path for p in problems] == [tmp_path / "z" / "run.json", tmp_path / "nowhere"]
    assert problems[0].reason.startswith("damaged: ")


def test_a_file_can_be_given(tmp_path):
    path = write_record(record(), tmp_path)
    assert find_records([path]) == ([record()], [])


def test_running_with_a_free_lock_reads_as_interrupted(tmp_path):
    folder = RunFolder(tmp_path / "run").create()
    assert folder.state() == "absent"
    with folder.lock():
        folder.write(record(status="running"))
        assert folder.state() == "running"
        assert find_records([tmp_path])[0][0].status == "running"
    assert folder.state() == "interrupted"
    assert find_records([tmp_path])[0][0].status == "interrupted"
    assert folder.read().status == "running"


def test_each_record_is_read_once(tmp_path, monkeypatch):
    """What a table of many runs takes: one open file a run, and none of a library of data."""
    for i in range(30):
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "run.json").write_text(json.dumps(record(id=str(i)).to_dict()))
    read: list[str] = []
    monkeypatch.setattr(
        store,
        "read_json",
        lambda path, largest: read.append(path.parent.name) or read_json(path, largest),
    )
    records, problems = find_records([tmp_path])
    assert len(records) == 30
    assert problems == []
    assert sorted(read) == sorted(str(i) for i in range(30))


def test_reading_records_loads_nothing_heavy():
    heavy = "{'torch', 'numpy', 'pandas', 'matplotlib', 'filelock', 'hydra'}"
    code = f"import sys, qat.records.folder, qat.records.cache; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
