"""The content cache: made once, shared, healed, deletable."""

import errno
import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from qat.base.atomic import WriteError
from qat.records.cache import Cache


class Maker:
    """Writes a text and counts how often."""

    def __init__(self, text="content"):
        self.text, self.calls = text, 0

    def __call__(self, path):
        self.calls += 1
        path.write_text(self.text)


def test_an_entry_is_made_once(tmp_path):
    cache, make = Cache(tmp_path), Maker()
    first = cache.get_or_make("float", {"lr": 0.1, "data": "d"}, make, suffix=".txt")
    second = Cache(tmp_path).get_or_make("float", {"data": "d", "lr": 0.1}, make, suffix=".txt")
    assert first == second
    assert first.suffix == ".txt"
    assert first.read_text() == "content"
    assert make.calls == 1


def test_another_key_or_kind_is_another_entry(tmp_path):
    cache = Cache(tmp_path)
    asked = [("float", {"a": 1}), ("float", {"a": 2}), ("calibration", {"a": 1})]
    assert len({cache.get_or_make(kind, key, Maker()) for kind, key in asked}) == 3


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "digest gone", "digest cut"])
def test_a_damaged_entry_is_made_anew(tmp_path, damage):
    cache, make = Cache(tmp_path), Maker()
    path = cache.get_or_make("k", {}, make)
    digest = path.with_name(f"{path.name}.sha256")
    {
        "cut": lambda: path.write_text("cont"),
        "changed": lambda: path.write_text("contEnt"),
        "gone": path.unlink,
        "digest gone": digest.unlink,
        "digest cut": lambda: digest.write_text(""),
    }[damage]()
    assert cache.get_or_make("k", {}, make).read_text() == "content"
    assert make.calls == 2
    assert cache.get_or_make("k", {}, make) == path
    assert make.calls == 2


def test_the_whole_cache_can_be_deleted(tmp_path):
    cache, make = Cache(tmp_path / "cache"), Maker()
    cache.get_or_make("k", {}, make)
    shutil.rmtree(tmp_path / "cache")
    assert cache.get_or_make("k", {}, make).read_text() == "content"
    assert make.calls == 2


def test_a_failed_make_leaves_nothing_and_its_own_error(tmp_path):
    def fail(path):
        path.write_text("half")
        raise FileNotFoundError(errno.ENOENT, "no such data", "cifar10.npz")

    cache = Cache(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"cifar10\.npz"):
        cache.get_or_make("k", {}, fail)
    assert [p.name for p in (tmp_path / "k").iterdir() if not p.name.endswith(".lock")] == []
    assert cache.get_or_make("k", {}, Maker()).read_text() == "content"


def test_a_full_disk_names_the_entry(tmp_path):
    def full(path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(WriteError, match=r"could not write .*/k/.*No space left"):
        Cache(tmp_path).get_or_make("k", {}, full)
    assert [p.name for p in (tmp_path / "k").iterdir() if not p.name.endswith(".lock")] == []


def test_a_make_that_writes_nothing_is_told(tmp_path):
    with pytest.raises(ValueError, match="nothing was written"):
        Cache(tmp_path).get_or_make("k", {}, lambda path: None)


@pytest.mark.parametrize("kind", ["", "a/b", "..", ".hidden"])
def test_a_kind_is_a_folder_name(tmp_path, kind):
    with pytest.raises(ValueError, match="plain folder name"):
        Cache(tmp_path).path_of(kind, {})


def test_two_processes_make_an_entry_once(tmp_path):
    code = textwrap.dedent(
        """
        import os, sys, time
        from pathlib import Path
        from qat.records.cache import Cache

        root = Path(sys.argv[1])

        def make(path):
            (root / f"made-by-{os.getpid()}").touch()
            time.sleep(0.5)
            path.write_text("content")

        (root / f"ready-{os.getpid()}").touch()
        while len(list(root.glob("ready-*"))) < 3:
            time.sleep(0.005)
        print(Cache(root).get_or_make("k", {"a": 1}, make).read_text())
        """
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [job.communicate(timeout=60)[0] for job in jobs] == ["content\n"] * 3
    assert len(list(tmp_path.glob("made-by-*"))) == 1
