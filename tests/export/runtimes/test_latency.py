"""Latency: the statistics of invented seconds, and the process that measures real ones."""

import json
import os
import subprocess
import sys

import pytest

from qat.export.runtimes import latency
from qat.export.runtimes.latency import LatencySpec, measure_latency, paired_speedups, quartiles

SPEC = LatencySpec(batches=(1, 3), threads=(1,), repeats=30, blocks=3, warmup=1, settle_ms=1)
SHAPE = (3, 8, 8)


def test_quartiles_of_known_numbers():
    assert quartiles([5, 1, 3, 2, 4]) == (2, 3, 4)


def test_blocks_are_compared_with_the_block_beside():
    # The machine is twice as slow in the second block: the ratio is not moved by that.
    assert paired_speedups([[2, 4, 9], [8, 8, 8]], [[1, 2, 3], [4, 4, 99]]) == [2.0, 2.0]


def test_seconds_become_rows(monkeypatch):
    case = {"batch": 1, "threads": 2}
    case["seconds"] = {"float": [[0.002, 0.004], [0.004, 0.006]], "int8": [[0.001] * 2] * 2}
    found = {"version": "1.0", "cases": [case]}
    monkeypatch.setattr(latency, "_in_fresh_process", lambda *_: found)
    report = measure_latency({"float": "f", "int8": "i"}, SHAPE, SPEC)
    first, second = report.rows
    assert (first.median_ms, first.lower_ms, first.upper_ms) == pytest.approx((4.0, 3.5, 4.5))
    assert (first.runtime, first.version, first.network) == ("onnxruntime", "1.0", "float")
    assert (second.network, second.batch, second.threads, second.repeats) == ("int8", 1, 2, 4)
    (speedup,) = report.speedups
    assert (speedup.median, speedup.lower, speedup.upper) == pytest.approx((4.0, 3.5, 4.5))
    assert (speedup.network, speedup.baseline, speedup.blocks) == ("int8", "float", 2)


@pytest.mark.parametrize(
    "runtime", ["onnxruntime", pytest.param("openvino", marks=pytest.mark.openvino)]
)
def test_files_are_timed_in_a_process_of_their_own(files, runtime):
    report = measure_latency(files, SHAPE, SPEC, runtimes=[runtime])
    cases = [(row.network, row.batch, row.repeats) for row in report.rows]
    assert cases == [("float", 1, 30), ("int8", 1, 30), ("float", 3, 30), ("int8", 3, 30)]
    assert all(0 < row.lower_ms <= row.median_ms <= row.upper_ms for row in report.rows)
    assert [(row.batch, row.blocks) for row in report.speedups] == [(1, 3), (3, 3)]
    assert all(0 < row.lower <= row.median <= row.upper for row in report.speedups)


def test_the_process_starts_without_torch(files):
    names = "json.dumps([m for m in sys.modules if m in ('torch', 'lightning', 'hydra')])"
    code = f"import json, sys, qat.export.runtimes.latency_worker; print({names})"
    paths = os.pathsep.join(
        filter(None, [os.environ.get("PYTHONPATH"), str(latency._PACKAGE_HOME)])
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert json.loads(done.stdout) == []


def test_an_error_in_the_process_has_one_line(files, tmp_path):
    with pytest.raises(ValueError, match=r"images are float32 \(1, 3, 9, 9\).*takes float32"):
        measure_latency(files, (3, 9, 9), SPEC)
    with pytest.raises(ValueError, match=r"absent\.onnx: no such file"):
        measure_latency({**files, "int8": tmp_path / "absent.onnx"}, SHAPE, SPEC)


def test_a_process_that_died_is_no_result(files, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="of onnxruntime ended with 1: no error message"):
        measure_latency(files, SHAPE, SPEC)


def test_requests_that_make_no_sense(files, monkeypatch):
    with pytest.raises(ValueError, match="no network base to compare with; there are float, int8"):
        measure_latency(files, SHAPE, SPEC, baseline="base")
    with pytest.raises(ValueError, match="no runtime tflite"):
        measure_latency(files, SHAPE, SPEC, runtimes=["tflite"])
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ValueError, match="openvino is not installed"):
        measure_latency(files, SHAPE, SPEC, runtimes=["onnxruntime", "openvino"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batches": ()}, r"latency batches must be numbers of 1 or more, got \[\]"),
        ({"threads": (0,)}, r"latency threads must be numbers of 1 or more, got \[0\]"),
        ({"repeats": 29}, "latency repeats must be 30 or more"),
        ({"blocks": 1}, r"latency blocks must be 2\.\.repeats"),
        ({"blocks": 51}, r"latency blocks must be 2\.\.repeats"),
        ({"settle_ms": -1}, "latency settle_ms must be 0 or more, got -1"),
        ({"warmup": 0}, "latency warmup must be 1 or more"),
    ],
)
def test_the_way_of_measuring_is_checked(change, words):
    with pytest.raises(ValueError, match=words):
        LatencySpec(**change)
