"""Where a run was made."""

import json
import platform
import subprocess
from importlib import metadata

import pytest

from qat.records.environment import (
    cpu_facts,
    environment_facts,
    git_facts,
    integer_products,
    products_may_saturate,
    versions,
)

CPUINFO = """processor\t: 0
model name\t: First CPU
flags\t\t: fpu avx2 avx512f avx512_vnni
processor\t: 1
model name\t: Second CPU
flags\t\t: fpu
"""


def git(folder, *arguments):
    names = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    done = subprocess.run(
        ["git", *names, "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_facts_are_plain_data():
    facts = environment_facts(threads=2)
    assert facts["python"] == platform.python_version()
    assert facts["threads"] == 2
    assert facts["cores"] >= 1
    assert facts["versions"]["numpy"] == metadata.version("numpy")
    assert json.loads(json.dumps(facts)) == facts


def test_instruction_sets_are_read(tmp_path):
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    assert cpu_facts(tmp_path / "cpuinfo") == ("First CPU", ["avx2", "avx512f", "avx512_vnni"])
    assert cpu_facts(tmp_path / "absent")[1] == []


@pytest.mark.parametrize(
    ("instructions", "best", "saturates"),
    [
        (["avx2", "avx512f", "avx512_vnni"], "avx512_vnni", False),
        (["avx2", "avx_vnni"], "avx_vnni", False),
        (["avx2", "avx512f", "avx512_vnni", "amx_int8", "amx_tile"], "amx_int8", False),
        (["avx2"], None, True),
        (["avx2", "avx512f"], None, True),
        (["asimddp"], "asimddp", False),
        (["asimddp", "i8mm"], "i8mm", False),
        ([], None, False),
    ],
)
def test_what_a_cpu_has_for_integer_products(instructions, best, saturates):
    assert integer_products(instructions) == best
    assert products_may_saturate(instructions) is saturates


def test_instruction_sets_of_arm_are_read(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n")
    assert cpu_facts(tmp_path / "cpuinfo")[1] == ["asimddp", "i8mm"]


def test_a_package_that_is_not_there_has_no_version():
    assert versions(["no-such-distribution-here"]) == {}


def test_commit_and_changes_of_a_checkout(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("one\n")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_facts(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "a").write_text("two\n")
    facts = git_facts(tmp_path)
    assert facts["dirty"] is True
    assert "+two" in facts["dirty_diff"]


def test_inside_some_other_repository_is_no_checkout(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").touch()
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "site-packages").mkdir()
    assert git_facts(tmp_path / "site-packages") == {"commit": None, "dirty": False}
