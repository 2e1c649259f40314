"""The usable memory, from files as Linux writes them."""

import os

import pytest

from qat.base.machine_memory import usable_memory_bytes

GIB = 2**30


def system(root, groups, limits):
    """Folders ``proc`` and ``sys`` with the groups of the process and limits of some of them."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for path, text in limits.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return root


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of 16 GiB."""
    sizes = {"SC_PHYS_PAGES": 16 * GIB // 4096, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)


@pytest.mark.parametrize(
    ("groups", "limits", "usable"),
    [
        ("0::/\n", {}, 16 * GIB),
        ("0::/\n", {"memory.max": "max"}, 16 * GIB),
        ("0::/\n", {"memory.max": 2 * GIB}, 2 * GIB),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": 3 * GIB}, 3 * GIB),
        ("0::/outside\n", {"memory.max": GIB}, GIB),
        ("5:cpu:/x\n4:memory:/x\n", {"memory/x/memory.limit_in_bytes": 4 * GIB}, 4 * GIB),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": 9223372036854771712}, 16 * GIB),
        ("5:cpu:/x\n", {"memory/x/memory.limit_in_bytes": GIB}, 16 * GIB),
    ],
)
def test_the_lowest_limit_counts(tmp_path, groups, limits, usable):
    assert usable_memory_bytes(system(tmp_path, groups, limits)) == usable


def test_without_control_groups_it_is_the_machines(tmp_path):
    assert usable_memory_bytes(tmp_path) == 16 * GIB


def test_a_system_that_does_not_tell_counts_as_small(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert usable_memory_bytes(tmp_path) == 4 * GIB
