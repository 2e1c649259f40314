"""A sweep that is killed again and again ends as one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import SMALL

KILLS = 20
WORDS = [*SMALL, "mode=static,qat", "scheme=w8a8,w4a4", "seed=0,1,2", "trainer.max_epochs=3"]
TIMES = ("latency", "speedup")
LAUNCHERS = [
    pytest.param([], id="local"),
    pytest.param(["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], id="joblib"),
]


def sweep(home: Path, words: list[str]) -> subprocess.Popen[bytes]:
    """Started in a group of its own, so that a kill reaches its workers too."""
    paths = {f"QAT_{name.upper()}": str(home / name) for name in ("runs", "cache", "data")}
    return subprocess.Popen(
        [sys.executable, "-m", "qat", "run", "-m", *WORDS, *words],
        env=os.environ | paths | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def metrics(home: Path) -> dict[str, dict[str, float]]:
    found = {}
    for path in (home / "runs").glob("*/run.json"):
        record = json.loads(path.read_text())
        assert record["status"] == "done"
        kept = {k: v for k, v in record["metrics"].items() if not any(t in k for t in TIMES)}
        found[record["id"]] = kept
    return found


def finished(home: Path) -> dict[Path, int]:
    """Time of change of what is done: records and the float network. Every record is whole."""
    found = {}
    for path in (home / "runs").glob("*/run.json"):
        if json.loads(path.read_text())["status"] == "done":
            found[path] = path.stat().st_mtime_ns
    for path in (home / "cache" / "float").glob("*.sha256"):
        found[path] = path.stat().st_mtime_ns
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_twenty_kills_change_nothing(tmp_path, launcher):
    if launcher:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    out, _ = sweep(undisturbed, launcher).communicate()
    assert "\n12 done\nnext: " in out.decode(), out.decode()

    chance = random.Random(0)
    before: dict[Path, int] = {}
    cut_off = 0
    for _ in range(KILLS):
        process = sweep(disturbed, launcher)
        try:
            process.wait(timeout=chance.uniform(1, 14))
        except subprocess.TimeoutExpired:
            cut_off += 1
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        after = finished(disturbed)
        assert before.items() <= after.items(), "what had finished was made again"
        before = after
    assert cut_off >= 5, "too few kills met a living sweep"
    out, _ = sweep(disturbed, launcher).communicate()
    assert "12 done" in out.decode(), out.decode()
    assert before.items() <= finished(disturbed).items()
    assert metrics(disturbed) == metrics(undisturbed)
    assert len(metrics(disturbed)) == 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_sweeps_at_the_same_time_make_each_run_once(tmp_path):
    both = [sweep(tmp_path, []) for _ in range(2)]
    outputs = [process.communicate()[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert len(metrics(tmp_path)) == 12
    made = [line for out in outputs for line in out.splitlines() if "] done" in line]
    assert len({line.split()[3] for line in made}) == 12
