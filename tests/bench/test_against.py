"""The comparison of two commits: a repository with a stand-in for ``qat`` that leaves a log."""

import json
import subprocess

import pytest

from bench import against
from bench._commands import CommandError, Taken

STAND_IN = """
import os, pathlib, sys, time
runs, cache = (pathlib.Path(os.environ[name]) for name in ("QAT_RUNS", "QAT_CACHE"))
with open(os.environ["LOG"], "a") as log:
    log.write(f"VERSION {' '.join(sys.argv[1:])} {runs.exists()} {cache.exists()}\\n")
runs.mkdir(parents=True, exist_ok=True)
cache.mkdir(parents=True, exist_ok=True)
time.sleep(SECONDS)
sys.exit(2 * ("schem=nope" in sys.argv))
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Two commits: ``old`` takes 0.3 s, ``new`` nothing."""
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    root = tmp_path / "project"
    (root / "qat").mkdir(parents=True)
    (root / "qat" / "__init__.py").touch()
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    for version, seconds in (("old", 0.3), ("new", 0)):
        text = STAND_IN.replace("VERSION", version).replace("SECONDS", str(seconds))
        (root / "qat" / "__main__.py").write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", version], check=True)
    return root


def compare(project, monkeypatch, capsys, *words):
    real = against.worktree
    monkeypatch.setattr(against, "worktree", lambda *args: real(*args, project))
    against.main(["--checkout", str(project), "--commit", "HEAD~1", *words])
    return json.loads(capsys.readouterr().out)["results"]


def log(tmp_path):
    return (tmp_path / "log").read_text().splitlines()


def test_both_sides_take_turns_with_what_the_job_keeps(project, tmp_path, monkeypatch, capsys):
    job = ["--prepare", "mode=float", "--keep", "cache", "--", "mode=static"]
    results = compare(project, monkeypatch, capsys, "--rounds", "2", "--warmup", "1", *job)
    assert results["words"]["ratio"]["n"] == 2
    assert results["words"]["ratio"]["median"] < 0.8
    assert results["words"]["reference_wall_s"]["q1"] >= 0.3 > 0
    old, new = ("old run mode=static False True", "new run mode=static False True")
    first = ["old run mode=float False False", "new run mode=float False False"]
    assert log(tmp_path) == [*first, old, new, new, old, old, new]


def test_the_worktree_is_gone_afterwards(project, monkeypatch, capsys):
    compare(project, monkeypatch, capsys, "--rounds", "1", "--warmup", "0", "--jobs", "refused")
    words = ["git", "-C", str(project), "worktree", "list"]
    assert len(subprocess.check_output(words, text=True).splitlines()) == 1


def test_a_command_that_ends_otherwise_is_not_timed(project, monkeypatch, capsys):
    with pytest.raises(CommandError, match="ended with 2, not 0"):
        compare(project, monkeypatch, capsys, "--rounds", "1", "--", "schem=nope")


def test_ratios_are_of_rounds_and_over_the_reference():
    checkout = [Taken(1.0, 2.0, 0.0), Taken(2.0, 8.0, 0.0)]
    reference = [Taken(2.0, 4.0, 0.0), Taken(8.0, 8.0, 0.0)]
    results = against.figures(checkout, reference)
    assert results["ratio"]["median"] == 0.375  # of 0.5 and 0.25
    assert results["user_ratio"]["median"] == 0.75  # of 0.5 and 1
    assert results["reference_wall_s"]["median"] == 5.0


def test_the_sweep_has_48_points_and_starts_without_calibrations():
    every = against.jobs(["model=resnet20", "data=synthetic"])
    grid = [word for word in every["sweep"].words if "," in word]
    count = 1
    for word in grid:
        count *= len(word.split(","))
    assert count == 48
    assert every["sweep"].prepare == (("mode=float", "model=resnet20", "data=synthetic"),)
