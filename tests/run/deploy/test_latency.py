"""Latency of exported networks: latency.json, and the metrics by their suffixes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from qat.export.runtimes.latency import LatencyReport, LatencyRow, SpeedupRow
from qat.records.environment import usable_cores
from qat.run.deploy import latency
from qat.run.deploy.latency import latency_spec, run_latency


class Session:
    """A loaded network whose times are known."""

    input = SimpleNamespace(dtype=np.dtype("float32"))

    def layer_times_ms(self, images):
        assert images.shape == (1, 3, 8, 8)
        return {"first": 0.5, None: 0.25}

    def nodes(self):
        return HALF_NODES


HALF_NODES = [SimpleNamespace(op="Conv", half=half) for half in (True, False)]


def row(network, ms, batch=1, threads=2):
    return LatencyRow("onnxruntime", "1", network, batch, threads, ms, ms, ms, 30)


def speedup(network, ratio, batch=1, threads=2):
    return SpeedupRow("onnxruntime", network, "float", batch, threads, ratio, ratio, ratio, 10)


@pytest.fixture
def report(monkeypatch):
    """Let these rows be measured."""

    def measured(rows, speedups):
        report = LatencyReport(tuple(rows), tuple(speedups))
        monkeypatch.setattr(latency, "measure_latency", lambda *_: report)
        runtime = SimpleNamespace(load=lambda file, threads: Session())
        monkeypatch.setattr(latency, "make_runtime", lambda name: runtime)

    return measured


def test_other_batches_and_threads_have_suffixes(make_config, report, tmp_path):
    report(
        [
            row("float", 4.0),
            row("network", 2.0),
            row("float", 8.0, 64),
            row("network", 9.0, 64),
            row("network", 3.0, 64, 1),
        ],
        [speedup("network", 2.0), speedup("network", 2.5, 64)],
    )
    config = make_config(measure__threads=[2, 1], measure__batches=[1, 64]).measure
    files = {name: tmp_path / f"{name}.onnx" for name in ("float", "network")}
    assert run_latency(config, files, (3, 8, 8), tmp_path) == {
        "float_latency_ms": 4.0,
        "float_latency_ms_b64": 8.0,
        "latency_ms": 2.0,
        "latency_ms_b64": 9.0,
        "latency_ms_b64_t1": 3.0,
        "speedup": 2.0,
        "speedup_b64": 2.5,
    }
    stored = json.loads((tmp_path / "latency.json").read_text())
    assert [each["median_ms"] for each in stored["rows"]] == [4.0, 2.0, 8.0, 9.0, 3.0]
    assert stored["layers"]["network"] == {"first": 0.5, "": 0.25}
    assert stored["spec"]["batches"] == [1, 64]


def test_measured_again_the_runs_own_threads_keep_the_names(make_config, report, tmp_path):
    rows = [row("network", 3.0, 1, 1), row("float", 4.5, 1, 1), row("network", 2.0)]
    report(rows, [speedup("network", 1.5, 1, 1)])
    config = make_config(measure__threads=[1, 2]).measure
    files = {name: tmp_path / f"{name}.onnx" for name in ("float", "network")}
    assert run_latency(config, files, (3, 8, 8), tmp_path, plain_threads=2) == {
        "latency_ms_t1": 3.0,
        "float_latency_ms_t1": 4.5,
        "latency_ms": 2.0,
        "speedup_t1": 1.5,
    }


def test_float16_that_is_computed_in_float_has_no_speedup(make_config, report, tmp_path):
    report([row("float", 4.0), row("half", 5.0)], [speedup("half", 0.8)])
    files = {name: tmp_path / f"{name}.onnx" for name in ("float", "half")}
    metrics = run_latency(make_config().measure, files, (3, 8, 8), tmp_path)
    assert metrics == {"float_latency_ms": 4.0, "half_latency_ms": 5.0}
    stored = json.loads((tmp_path / "latency.json").read_text())
    assert stored["float16_products"] == [1, 2]


def test_all_cores_are_used_where_no_threads_are_named(make_config):
    assert latency_spec(make_config().measure).threads == (usable_cores(),)
    assert latency_spec(make_config(measure__threads=[3]).measure).threads == (3,)
