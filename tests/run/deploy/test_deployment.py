"""Export of a run's networks, and what is said of those that a runtime computes in float."""

from contextlib import nullcontext

import numpy as np
import onnx
import pytest

from qat.run.deploy import deployment
from qat.run.deploy.deployment import compare, export_files, time_networks
from qat.run.stage_result import StageResult


def dtypes(path):
    arrays = map(onnx.numpy_helper.to_array, onnx.load(path).graph.initializer)
    return {array.dtype for array in arrays if array.dtype.kind == "f"}


@pytest.mark.slow
def test_a_float_run_writes_both_float_formats(make_state):
    state, result = make_state("float", export__onnx="always"), StageResult()
    example = state.prepared.images.example()
    exported = export_files(result, state.folder.path, state.net, None, example)
    assert (exported.file, exported.qnet) == (state.folder.path / "float.onnx", state.net)
    assert dtypes(result.files["float"]) == {np.dtype("float32")}
    assert dtypes(result.files["half"]) == {np.dtype("float16")}
    for name in ("float", "half"):
        assert result.metrics[f"{name}_onnx_bytes"] == result.files[name].stat().st_size


@pytest.mark.slow
def test_a_network_in_float16_is_written_as_such(make_quantized_state):
    half = {"scheme__weight__format": "fp16", "scheme__act__format": "fp16"}
    state = make_quantized_state(**half, scheme__first_last="same")
    result, example = StageResult(), state.prepared.images.example()
    exported = export_files(result, state.folder.path, state.net, state.qnet, example, half=True)
    assert exported.half
    assert dtypes(result.files["network"]) == {np.dtype("float16")}
    assert result.metrics["onnx_bytes"] == exported.file.stat().st_size


@pytest.mark.parametrize(
    ("half", "names"), [(False, {"float"}), (True, {"float", "half"})], ids=["integers", "float16"]
)
def test_what_a_runtime_computes_in_float_has_no_latency_of_its_own(
    make_config, monkeypatch, tmp_path, half, names
):
    timed = {}
    monkeypatch.setattr(
        deployment, "run_latency", lambda settings, files, *_: timed.update(files) or {"ms": 1.0}
    )
    files = {name: tmp_path / f"{name}.onnx" for name in ("float", "network")}
    result = StageResult(not_measured={"latency_ms": "size only"}, files=dict(files))
    time_networks(result, make_config().measure, np.zeros((8, 3, 8, 8)), tmp_path, half=half)
    assert timed.keys() == names
    assert result.metrics == {"ms": 1.0}
    assert result.files["latency"] == tmp_path / "latency.json"
    assert ("half_speedup" in result.not_measured) == half


def test_the_runtime_is_part_of_the_protocol(make_state, monkeypatch):
    parity = StageResult({"parity_top1_agreement": 1.0}, gate="passed")
    monkeypatch.setattr(deployment, "run_parity", lambda *_: parity)
    state, result = make_state("float", export__onnx="always"), StageResult()
    compare(
        result, state.prepared, None, state.float_logits, state.folder.path, lambda _: nullcontext()
    )
    assert (result.gate, result.metrics) == ("passed", parity.metrics)
    assert result.protocol["evaluation"]["runtime"].startswith("onnxruntime ")
