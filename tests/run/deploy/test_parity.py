"""Parity of a run: the simulation and onnxruntime on the same images, parity.json, the gate."""

import json
from dataclasses import replace

import pytest

from qat.export.onnx.network import export_onnx
from qat.export.runtimes.registry import make_runtime
from qat.run.deploy.parity import run_parity


@pytest.fixture
def parity_of(make_quantized_state):
    """Compare the small network's simulation, or other logits, with onnxruntime."""

    def compare(change=lambda logits: logits, **thresholds):
        state = make_quantized_state(scheme__placement="integer", scheme__first_last="8")
        prepared, path = state.prepared, state.folder.path
        exported = export_onnx(state.qnet, path / "network.onnx", prepared.images.example())
        config = replace(prepared.parity, layer_images=4, reference_images=2, **thresholds)
        batches, labels = prepared.images.test(), state.logits.argmax(1)
        labels[:3] = (labels[:3] + 1) % 3  # three of the twelve classes are wrong
        runtime, logits = make_runtime("onnxruntime"), change(state.logits)
        result = run_parity(config, exported, runtime, batches, logits, labels, path)
        return result, json.loads(result.files["parity"].read_text())

    return compare


def test_the_runtime_gives_the_accuracy_of_the_simulation(parity_of):
    result, parity = parity_of(top1_agreement=1.0)
    assert result.metrics["runtime_top1"] == 0.75
    assert result.metrics["parity_top1_agreement"] == 1
    assert result.gate == parity["gate"] == "passed"
    assert parity["thresholds"]["top1_agreement"] == 1.0
    assert [row["name"] for row in parity["accumulators"]] == ["first", "second", "head"]
    # 4 x 9 products of 8-bit and 4-bit codes need no more than 18 bits; 27 of 8 and 8 bits, 21.
    assert 2 <= result.metrics["accumulator_bits"] <= 21


def test_logits_of_another_network_fail_the_gate(parity_of):
    result, parity = parity_of(lambda logits: -logits, top1_agreement=0.9)
    assert result.gate == parity["gate"] == "failed"
    assert parity["reason"]
    assert result.metrics["parity_top1_agreement"] < 0.9


def test_layers_that_the_runtime_computes_in_float_have_no_latency(parity_of, monkeypatch):
    monkeypatch.setattr("qat.run.deploy.parity.float_layers", lambda nodes, layers: ("second",))
    result, parity = parity_of()
    assert result.not_measured.keys() == {"latency_ms", "speedup"}
    assert parity["execution"]["float_layers"] == ["second"]
