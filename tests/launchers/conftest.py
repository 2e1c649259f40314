"""Start sweeps as a user does, look at their records, kill one of their jobs."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.command_line import SMALL

TIMES = ("latency", "speedup")
POINTS = [*SMALL, "mode=static", "scheme=w8a8,w4a4,w2a2"]


class Sweeps:
    """Sweeps in folders of one test; each home has its own runs and cache."""

    def __init__(self, folder):
        self.folder = folder

    def start(self, home, *words, **variables):
        names = ("runs", "cache", "data")
        paths = {f"QAT_{name.upper()}": str(self.folder / home / name) for name in names}
        return subprocess.Popen(
            [sys.executable, "-m", "qat", "run", "-m", *words],
            env=os.environ | {"OMP_NUM_THREADS": "1"} | paths | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, home, *words, **variables):
        """Returns (exit code, what was printed)."""
        process = self.start(home, *words, **variables)
        out, _ = process.communicate()
        return process.returncode, out

    def records(self, home):
        """Id → record."""
        paths = (self.folder / home / "runs").glob("*/run.json")
        return {path.parent.name: json.loads(path.read_text()) for path in paths}

    def metrics(self, home):
        """Id → metrics, times aside; every run is done."""
        found = self.records(home)
        assert {record["status"] for record in found.values()} == {"done"}
        return {
            name: {
                key: value
                for key, value in record["metrics"].items()
                if not any(word in key for word in TIMES)
            }
            for name, record in found.items()
        }

    def kill_one(self, home, wanted, process):
        """SIGKILL the first run whose record matches, once it computes; returns its id.

        Args:
            home: Of the sweep.
            wanted: Takes a record.
            process: The sweep, which must not end before.
        """
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()[0]
            for path in (self.folder / home / "runs").glob("*/run.holder.json"):
                try:
                    record = json.loads((path.parent / "run.json").read_text())
                    pid = json.loads(path.read_text())["pid"]
                except (OSError, ValueError):  # just ended, or just begins
                    continue
                if record["status"] == "running" and wanted(record) and pid != process.pid:
                    os.kill(pid, signal.SIGKILL)
                    return record["id"]
            time.sleep(0.02)
        raise AssertionError("no such run was seen computing")


@pytest.fixture
def sweeps(tmp_path):
    return Sweeps(tmp_path)


@pytest.fixture(scope="module")
def locally(tmp_path_factory):
    """Metrics of the points one after the other, at the same thread count."""
    sweeps = Sweeps(tmp_path_factory.mktemp("one_after_the_other"))
    code, out = sweeps.run("local", *POINTS, "hydra/launcher=local")
    assert code == 0, out
    found = sweeps.metrics("local")
    assert len(found) == 3
    return found
