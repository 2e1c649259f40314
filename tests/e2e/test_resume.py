"""Killed and started again: the end is that of an undisturbed run, bit for bit."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.command_line import SMALL

WORDS = ["run", *SMALL, "mode=qat", "scheme=w4a4", "trainer.max_epochs=12", "float.epochs=6"]
SECONDS = 120

pytestmark = pytest.mark.slow


def start(home, runs, *words):
    environment = os.environ | {
        "QAT_RUNS": str(home / runs),
        "QAT_CACHE": str(home / f"{runs}-cache"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "qat", *words]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what it puts into the background with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def run(home, runs, *words):
    process = start(home, runs, *words)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def stop_when(home, process, pattern, how):
    """Send a signal once a file is there; fails if the run was faster."""
    end = time.monotonic() + SECONDS
    while not list(home.glob(pattern)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(how)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    return process.returncode, out, err


def metrics(home, runs):
    found = {}
    for path in (home / runs).glob("*/run.json"):
        record = json.loads(path.read_text())
        assert record["status"] == "done"
        values = {k: v for k, v in record["metrics"].items() if not k.endswith("_ms")}
        found[record["id"]] = values
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    home = tmp_path_factory.mktemp("undisturbed")
    assert run(home, "runs", *WORDS)[0] == 0
    return metrics(home, "runs")


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("runs/*/checkpoints/last.ckpt", id="quantized training"),
        pytest.param("runs-cache/float/*.training/last.ckpt", id="float training"),
        pytest.param("runs/*/plan.json", id="before calibration"),
    ],
)
def test_killed_in_any_stage_it_ends_the_same(home, undisturbed, pattern):
    stop_when(home, start(home, "runs", *WORDS), pattern, signal.SIGKILL)
    code, out, _ = run(home, "runs", "table", str(home / "runs"))
    assert code == 0
    assert "1 interrupted, not in the table" in out
    assert run(home, "runs", *WORDS)[0] == 0
    assert metrics(home, "runs") == undisturbed


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_is_no_success_and_goes_on(home, undisturbed, how):
    process = start(home, "runs", *WORDS)
    code, _, err = stop_when(home, process, "runs/*/checkpoints/last.ckpt", how)
    assert code == 1
    assert err.splitlines()[-1] == "qat: interrupted; repeat the same command to continue"
    assert all(line.startswith("[") for line in err.splitlines()[:-1])
    assert run(home, "runs", *WORDS)[0] == 0
    assert metrics(home, "runs") == undisturbed


def test_a_killed_sweep_keeps_what_was_finished(home):
    words = ["run", "-m", *WORDS[1:], "scheme.weight.bits=8,5,4"]
    process = start(home, "runs", *words)
    stop_when(home, process, "runs/*/packed.safetensors", signal.SIGKILL)
    before = {p: p.stat().st_mtime_ns for p in (home / "runs").glob("*/run.json")}
    done = [p for p in before if json.loads(p.read_text())["status"] == "done"]
    code, _, err = run(home, "runs", *words)
    assert code == 0, err
    assert len(metrics(home, "runs")) == 3
    assert all(p.stat().st_mtime_ns == before[p] for p in done)


@pytest.mark.parametrize(
    "pattern",
    ["runs-cache/float/*.training/last.ckpt", "runs/*/plan.json"],
    ids=["float training", "before calibration"],
)
def test_told_to_end_in_any_stage_it_ends_alike(home, undisturbed, pattern):
    process = start(home, "runs", *WORDS)
    code, _, err = stop_when(home, process, pattern, signal.SIGTERM)
    assert code == 1
    assert err.splitlines()[-1] == "qat: interrupted; repeat the same command to continue"
    assert "1 interrupted, not in the table" in run(home, "runs", "table", str(home / "runs"))[1]
    assert run(home, "runs", *WORDS)[0] == 0
    assert metrics(home, "runs") == undisturbed


def test_a_sweep_told_to_end_starts_no_other_run(home):
    words = ["run", "-m", *WORDS[1:], "scheme.weight.bits=8,5,4"]
    process = start(home, "runs", *words)
    code, _, _ = stop_when(home, process, "runs/*/checkpoints/last.ckpt", signal.SIGTERM)
    assert code == 1
    assert len(list((home / "runs").glob("*/run.json"))) == 1
