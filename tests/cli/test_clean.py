"""qat clean deletes what no run needs, and stays in its folders: it follows no links."""

import hashlib
import json
import os
import shutil

import pytest
from filelock import FileLock

from qat.cli.clean import clean_command
from qat.records.lock import LOCK_NAME
from qat.records.waste import delete, half_written, size, waste_of_cache, waste_of_runs


@pytest.fixture
def precious(home):
    """A folder outside of runs and cache, as a run and a cache might lie there."""
    folder = home / "precious"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "thesis.txt").write_text("years of work")
    (folder / "entry").write_text("spoilt")
    (folder / "entry.sha256").write_text(f"{hashlib.sha256(b'other').hexdigest()}  entry\n")
    done_record(folder)
    return folder


def done_record(folder):
    folder.mkdir(parents=True, exist_ok=True)
    record = {"schema_version": 1, "id": "a", "status": "done", "mode": "static", "seed": 0}
    (folder / "run.json").write_text(json.dumps(record))


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_links_to_folders_are_left_alone_and_counted(qat, home, precious):
    before = contents(precious)
    (home / "runs").mkdir()
    (home / "runs" / "whole").symlink_to(precious)
    done_record(home / "runs" / "own")
    (home / "runs" / "own" / "checkpoints").symlink_to(precious / "checkpoints")
    (home / "cache").mkdir()
    (home / "cache" / "kind").symlink_to(precious)
    code, out, _ = qat("clean", "--force")
    assert code == 0
    assert "0 places" in out
    assert "3 links in these folders: not followed" in out
    assert contents(precious) == before
    assert (home / "runs" / "own" / "checkpoints").is_symlink()


@pytest.mark.parametrize("name", ["runs", "cache"])
def test_a_folder_that_is_itself_a_link_is_refused_with_its_name(qat, home, precious, name):
    before = contents(home)
    (home / name).symlink_to(precious.parent)
    code, _, err = qat("clean", "--force")
    assert code == 2
    assert f"qat clean --{name} {home}" in err
    (home / name).unlink()
    assert contents(home) == before


def test_links_within_checkpoints_go_and_what_they_point_to_stays(qat, home, precious):
    run = home / "runs" / "a"
    done_record(run)
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "outside").symlink_to(precious)
    os.link(precious / "entry", run / "checkpoints" / "hard")
    assert size(run / "checkpoints") == 0
    before = contents(precious)
    code, out, _ = qat("clean", "--force")
    assert code == 0
    assert "checkpoints of a finished run" in out
    assert not (run / "checkpoints").exists()
    assert contents(precious) == before


def test_a_folder_swapped_for_a_link_before_its_deletion_stays(home, precious):
    run = home / "runs" / "a"
    done_record(run)
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "last.ckpt").write_text("x")
    (waste,) = waste_of_runs(home / "runs")
    before = contents(precious)
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints").symlink_to(precious / "checkpoints")
    assert not delete(waste)
    shutil.rmtree(run)
    run.symlink_to(precious)
    assert not delete(waste)
    assert contents(precious) == before


def test_a_run_that_began_meanwhile_stays(home):
    never = home / "runs" / "never"
    never.mkdir(parents=True)
    (never / "run.lock").touch()
    (waste,) = waste_of_runs(home / "runs")
    done_record(never)
    assert not delete(waste)
    assert (never / "run.json").exists()


def test_what_a_kill_left_half_written_goes_and_what_others_write_stays(qat, home):
    run = home / "runs" / "a"
    done_record(run)
    half = [".run.json.123-0a1b2c3d.tmp", ".packed.safetensors.77", "last.ckpt.part"]
    kept = [".hidden", "notes.tmp", "run.json"]
    for name in (*half, *kept[:2]):
        (run / name).write_text("half")
    assert {path.name for path in half_written(run)} == set(half)
    kind = home / "cache" / "float"
    kind.mkdir(parents=True)
    (kind / ".0123.safetensors.9-00000000.safetensors").write_text("half")
    assert [waste.path.name for waste in waste_of_cache(home / "cache")] == [
        ".0123.safetensors.9-00000000.safetensors"
    ]
    code, out, _ = qat("clean", "--force")
    assert code == 0
    assert "in 4 places deleted" in out
    assert {path.name for path in run.iterdir()} >= set(kept)
    assert not any((run / name).exists() for name in half)
    assert list(kind.glob("*.safetensors")) == []


@pytest.fixture
def two(home):
    """Two finished runs, the first with checkpoints, and a damaged cache entry."""
    done, other = (home / "runs" / name for name in ("done", "other"))
    for folder in (done, other):
        done_record(folder)
    (done / "checkpoints").mkdir()
    (done / "checkpoints" / "last.ckpt").write_bytes(b"x" * 2**20)
    return done, other


def test_the_list_comes_first_and_force_deletes_what_no_run_needs(home, two, capsys):
    done, other = two
    interrupted = home / "runs" / "interrupted"
    (interrupted / "checkpoints").mkdir(parents=True)
    record = json.loads((other / "run.json").read_text()) | {"status": "running"}
    (interrupted / "run.json").write_text(json.dumps(record))
    never = home / "runs" / "never"
    never.mkdir()
    (never / LOCK_NAME).touch()
    entry = home / "cache" / "calibration" / "entry"
    entry.parent.mkdir(parents=True)
    entry.write_bytes(b"damaged")
    digest = hashlib.sha256(b"original").hexdigest()
    entry.with_name("entry.sha256").write_text(f"{digest}  entry\n")

    assert clean_command(None, None, force=False) == 0
    out = capsys.readouterr().out
    for path in (done / "checkpoints", never, entry):
        assert str(path.relative_to(home)) in out
        assert path.exists()
    assert "interrupted" not in out
    assert "1.0 MiB" in out
    assert "in 3 places; qat clean --force deletes them" in out

    clean_command(None, None, force=True)
    assert "in 3 places deleted" in capsys.readouterr().out
    assert not any(path.exists() for path in (done / "checkpoints", never, entry))
    assert (interrupted / "checkpoints").exists()
    assert (done / "run.json").exists()
    clean_command(None, None, force=False)
    assert "0.0 MiB in 0 places" in capsys.readouterr().out


def test_a_run_that_holds_its_lock_is_left_alone(qat, two):
    with FileLock(two[0] / LOCK_NAME):
        assert "in 0 places" in qat("clean")[1]
    assert "in 1 place" in qat("clean")[1]


def test_without_any_folder_there_is_nothing_to_clean(qat, home):
    code, _, err = qat("clean")
    assert code == 2
    assert "nothing to clean" in err


@pytest.mark.parametrize("flag", ["--runs", "--cache"])
def test_a_named_folder_that_does_not_exist_is_refused(qat, home, flag):
    (home / "runs").mkdir()
    code, out, err = qat("clean", flag, "elsewhere")
    assert (code, out) == (2, "")
    assert f"{flag} elsewhere is not a folder" in err
