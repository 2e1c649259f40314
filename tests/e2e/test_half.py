"""A network in float16: stored, exported, run, and labelled for what the runtime does with it."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from safetensors.torch import load_file

from qat.export.onnx.floating import float_onnx, half_onnx
from qat.export.runtimes.base import RuntimeNode
from qat.export.runtimes.labels import HALF_SIMULATED, float16_products
from qat.export.runtimes.registry import make_runtime
from qat.models.build import build_model
from qat.run.float_network import float_network
from qat.run.load import load_run
from tests.command_line import SMALL as USUAL

SMALL = [*USUAL, "+data.options.image_size=16", "model=simple_cnn", "data.train_images=64"]


def folder_of(out):
    return Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent


@pytest.fixture
def run(finished):
    return finished(*SMALL, "scheme=fp16")


@pytest.mark.slow
def test_a_network_in_float16_is_half_as_large_and_as_right(run):
    folder, out = run
    record = json.loads((folder / "run.json").read_text())
    metrics = record["metrics"]
    assert metrics["runtime_top1"] == pytest.approx(metrics["top1"], abs=0.02)
    assert metrics["onnx_bytes"] < 0.55 * metrics["float_onnx_bytes"]
    assert metrics["packed_bytes"] < 0.55 * metrics["float_bytes"]
    assert record["gate"] == "passed"
    weights = [t for t in onnx.load(folder / "network.onnx").graph.initializer if len(t.dims) > 1]
    assert {tensor.data_type for tensor in weights} == {TensorProto.FLOAT16}

    check_packed(folder)
    check_label(folder, out)


def check_packed(folder):
    """The packed file holds numpy's float16 of every weight."""
    stored = load_file(folder / "packed.safetensors")
    halves = {k: t for k, t in stored.items() if t.dtype == torch.float16}
    assert len(halves) == 5
    net = float_network(load_run(folder).prepared).net
    weights = [m.weight.detach().numpy() for m in net.modules() if hasattr(m, "weight")]
    wide = [w for w in weights if w.ndim > 1]
    for tensor in halves.values():
        assert any(
            w.shape == tuple(tensor.shape) and np.array_equal(w.astype(np.float16), tensor.numpy())
            for w in wide
        )


def check_label(folder, out):
    """Arithmetic that is cast to float has a label instead of a latency."""
    record = json.loads((folder / "run.json").read_text())
    found = json.loads((folder / "parity.json").read_text())["execution"]["float16_products"]
    casts = [
        node.op
        for node in make_runtime("onnxruntime").load(folder / "network.onnx", 1).nodes()
        if node.op == "Cast"
    ]
    assert found == [0, 5]
    assert casts  # images are cast to float16 and back: what lies between computes in float
    assert record["unmeasured"]["latency_ms"] == HALF_SIMULATED
    assert "latency_ms" not in record["metrics"]
    assert record["metrics"]["half_latency_ms"] > 0
    assert "half_speedup" not in record["metrics"]
    assert record["unmeasured"]["half_speedup"] == HALF_SIMULATED
    assert f"0 of 5 products in float16; {HALF_SIMULATED}" in out


def test_parity_and_measure_repeat_it(run, qat):
    folder, _ = run
    code, out, err = qat("parity", str(folder))
    assert code == 0, err
    assert "parity passed" in out
    code, out, err = qat("measure", str(folder))
    assert code == 0, err
    assert HALF_SIMULATED in out


def test_products_count_by_what_they_compute_on():
    nodes = [
        RuntimeNode("a", "Conv", False, "a", half=True),
        RuntimeNode("b", "FusedConv", False, "b"),
        RuntimeNode("cast", "Cast", False, None, half=True),
    ]
    assert float16_products(nodes) == (1, 2)


@pytest.mark.slow
def test_the_exported_weights_are_numpys_float16():
    net = build_model("builtin", "simple_cnn", classes=10, in_channels=3, image_size=16).eval()
    whole = float_onnx(net, torch.zeros(2, 3, 16, 16))
    halves = {t.name: onnx.numpy_helper.to_array(t) for t in half_onnx(whole).graph.initializer}
    for tensor in whole.graph.initializer:
        if len(tensor.dims) > 1:
            expected = onnx.numpy_helper.to_array(tensor).astype(np.float16)
            np.testing.assert_array_equal(halves[tensor.name], expected)
