"""Example records for TensorBoard, and TensorBoard itself."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import pytest

from qat.records.schema import RunRecord

STATUSES = ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"]
QUESTION = {
    "experimentName": "",
    "allowedStatuses": STATUSES,
    "colParams": [],
    "startIndex": 0,
    "sliceSize": 100,
}


class Server:
    """A TensorBoard process over a folder."""

    def __init__(self, logdir, log, fast=False):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
        command += ["--host", "127.0.0.1", "--port", "0", "--load_fast", str(fast).lower()]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, env=dict(os.environ))
        self.address = self._wait_for_address(log)

    def _wait_for_address(self, log):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text(errors="replace"))
            if found:
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"TensorBoard did not start: {log.read_text(errors='replace')}")

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path, data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def rows(self, count):
        """Session groups, as soon as all are loaded with their metrics."""
        deadline = time.monotonic() + 60
        while True:
            groups = self.ask("data/plugin/hparams/session_groups", QUESTION).get(
                "sessionGroups", []
            )
            whole = [g for g in groups if g.get("metricValues")]
            if len(whole) == count or time.monotonic() > deadline:
                return {group["name"]: group for group in groups}
            time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def spec(bits, symmetric, quantizer):
    return {
        "format": "int",
        "bits": bits,
        "symmetric": symmetric,
        "granularity": "channel",
        "quantizer": {"name": quantizer, "target": None, "options": {}},
        "observer": {"name": "mse", "target": None, "options": {}},
    }


@pytest.fixture
def make():
    """A function that makes a finished record of some bit width."""

    def _make(id_="aaa", bits=4, mode="qat", seed=0, quantizer="lsq", **changes):
        layer = {
            "kind": "Conv2d",
            "weight": spec(bits, True, quantizer),
            "act": spec(bits, False, quantizer),
            "output": None,
        }
        plan = {"placement": "academic", "layers": {"a": layer, "b": layer, "c": layer}}
        values = {
            "id": id_,
            "status": "done",
            "mode": mode,
            "seed": seed,
            "plan": None if mode == "float" else plan,
            "protocol": {"data": {"name": "fashion_mini"}, "float": {"model": "simple_cnn"}},
            "metrics": {"top1": 0.87, "packed_bytes": 50_000, "compression": 7.5},
        }
        return RunRecord(**values | changes)

    return _make


@pytest.fixture
def serve(tmp_path):
    """A function that starts a TensorBoard over a folder; stopped at the end of the test."""
    started = []

    def _serve(folder, fast=False):
        started.append(Server(folder, tmp_path / f"tensorboard{len(started)}.log", fast))
        return started[-1]

    yield _serve
    for server in started:
        server.stop()
