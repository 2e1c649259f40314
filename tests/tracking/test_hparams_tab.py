"""The HPARAMS tab over HTTP, from a real TensorBoard on loopback."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import pytest

from qat.records.metrics import METRICS
from qat.tracking import tensorboard as board

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

    def __init__(self, logdir, log):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
        command += ["--host", "127.0.0.1", "--port", "0", "--load_fast", "false"]
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


@pytest.fixture
def server(tmp_path, make):
    """TensorBoard over four runs: float, static, and QAT of two seeds, one written twice."""
    root = tmp_path / "runs"
    runs = [
        make("f0", mode="float", metrics={"top1": 0.88}),
        make("s0", bits=8, mode="static", quantizer="minmax"),
        make("q0", seed=0),
        make("q1", seed=1, metrics={"top1": 0.86, "compression": 7.5}),
    ]
    for run in [*runs, runs[-1]]:  # the last was resumed: written once more
        with board.open_events(root / run.id) as writer:
            board.write_hparams(writer, run, {"weight_quantizer": ["lsq", "minmax"]})
            writer.add_scalar("train/loss", 1.0, 0)
            board.write_final_scalars(writer, run)
    started = Server(root, tmp_path / "tensorboard.log")
    yield started
    started.stop()


def test_the_tab_has_one_typed_row_a_run(server):
    rows = server.rows(4)
    assert sorted(rows) == [
        *("float-seed0 f0", "w4a4-lsq-qat-seed0 q0", "w4a4-lsq-qat-seed1 q1"),
        "w8a8-minmax-static-seed0 s0",
    ]
    row = rows["w4a4-lsq-qat-seed1 q1"]
    assert row["hparams"] == {
        "run": "w4a4-lsq",
        "model": "simple_cnn",
        "data": "fashion_mini",
        "mode": "qat",
        "placement": "academic",
        "seed": 1.0,
        "weight_bits": 4.0,
        "weight_symmetric": True,
        "weight_granularity": "channel",
        "weight_quantizer": "lsq",
        "weight_calibration": "mse",
        "act_bits": 4.0,
        "act_symmetric": False,
        "act_granularity": "channel",
        "act_quantizer": "lsq",
        "act_calibration": "mse",
    }
    metrics = {value["name"]["tag"]: value["value"] for value in row["metricValues"]}
    assert metrics == {
        "final/top1": pytest.approx(0.86),
        "final/compression": pytest.approx(7.5),
    }
    assert [session["status"] for session in row["sessions"]] == ["STATUS_SUCCESS"]
    assert "weight_symmetric" not in rows["float-seed0 f0"]["hparams"]

    body = {"experimentName": "", "includeMetrics": True}
    experiment = server.ask("data/plugin/hparams/experiment", body)
    infos = {info["name"]: info for info in experiment["hparamInfos"]}
    assert infos["weight_symmetric"]["type"] == "DATA_TYPE_BOOL"
    assert infos["weight_symmetric"]["domainDiscrete"] == [False, True]
    assert infos["weight_bits"]["type"] == "DATA_TYPE_FLOAT64"
    assert infos["weight_bits"]["domainInterval"] == {"minValue": 1.0, "maxValue": 32.0}
    assert infos["mode"]["domainDiscrete"] == ["dynamic", "float", "mixed", "qat", "static"]
    assert infos["weight_quantizer"]["domainDiscrete"] == ["lsq", "minmax"]
    assert infos["act_quantizer"]["type"] == "DATA_TYPE_STRING"
    assert infos["seed"]["type"] == "DATA_TYPE_FLOAT64"
    tags = [info["name"]["tag"] for info in experiment["metricInfos"]]
    assert tags == [f"final/{name}" for name in METRICS]
