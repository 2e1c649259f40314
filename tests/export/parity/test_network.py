"""Parity on a small network: agreement is found, and so is a network that is another."""

import dataclasses

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from qat.export.onnx.network import export_onnx
from qat.export.parity.gate import LogitAgreement, ParityThresholds
from qat.export.parity.network import OFF, ON, check_parity, runtime_logits
from qat.export.runtimes.onnxruntime import OnnxRuntimeSession
from qat.export.runtimes.registry import make_runtime
from tests.export.integer_networks import Residual, calibrated, images

MISSED = LogitAgreement(12, 0.9, 9.0, 0.8, 30.0)
NO_LOGITS = ParityThresholds(top1_agreement=None, within_one_step=None, max_steps=None)


@pytest.fixture
def exported(tmp_path):
    torch.manual_seed(0)
    return export_onnx(calibrated(Residual(), x=images(16)), tmp_path / "network.onnx", images())


def batches(count=12, size=4):
    return [(part, torch.zeros(len(part))) for part in images(count).split(size)]


def simulated(exported, given):
    with torch.no_grad():
        return torch.cat([exported.qnet(part) for part, _ in given])


def check(exported, thresholds=NO_LOGITS, **more):
    given = batches()
    return check_parity(
        exported, make_runtime(), given, simulated(exported, given), thresholds, **more
    )


def test_simulation_runtime_and_reference_are_one_network(exported):
    found = check(exported)
    assert found.verdict.passed
    assert {how: rows.images for how, rows in found.logits.items()} == {OFF: 12, ON: 12}
    assert all(rows.max_steps <= 1 for rows in found.logits.values())
    assert [layer.name for layer in found.layers] == list(dict.fromkeys(exported.stored.values()))
    assert max(layer.max_steps for layer in found.layers) <= 1
    assert found.reference.images == 4
    assert found.reference.max_steps <= 1
    np.testing.assert_array_equal(
        found.runtime_logits, runtime_logits(make_runtime().load(exported.file, 1), batches())
    )


def test_fewer_images_go_through_with_optimizations_off(exported):
    found = check(exported, images_off=5, layer_images=0, reference_images=0)
    assert {how: rows.images for how, rows in found.logits.items()} == {OFF: 8, ON: 12}
    assert (found.layers, found.diverging, found.reference) == ((), {}, None)


def altered(exported, name, change):
    """The file with one initialiser changed."""
    model = onnx.load(exported.file)
    (tensor,) = [t for t in model.graph.initializer if t.name == name]
    tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), name))
    path = exported.file.with_name("altered.onnx")
    onnx.save(model, path)
    return dataclasses.replace(exported, file=path)


def test_a_layer_that_is_another_is_named_and_those_behind_it_are_not(exported):
    """Each layer starts from the runtime's own codes: only the altered one is off."""
    wrong = altered(exported, "second/bias", lambda codes: codes + 4000)
    found = check(wrong)
    assert not found.verdict.passed
    assert [layer.name for layer in found.layers if layer.max_steps > 1] == ["second"]
    assert {how: layer.name for how, layer in found.diverging.items()} == {
        OFF: "second",
        ON: "second",
    }
    assert "layer second alone differs" in found.verdict.reason


def test_logits_that_are_others_miss_the_gate(exported):
    turned = altered(exported, "head/bias", lambda codes: codes[::-1].copy() * 50)
    found = check(turned, ParityThresholds(layer_steps=None))
    assert not found.verdict.passed
    assert "optimizations on: top-1 agreement" in found.verdict.reason


def test_a_float_network_is_compared_by_its_logits_alone(tmp_path):
    exported = export_onnx(Residual().eval(), tmp_path / "float.onnx", images())
    found = check(exported, ParityThresholds(sqnr_db=80))
    assert found.verdict.passed
    assert found.logits[ON].max_steps is None
    assert found.layers == ()


def test_misses_of_a_right_network_are_found_to_be_ties(exported, monkeypatch):
    monkeypatch.setattr("qat.export.parity.network.compare_logits", lambda a, b, s: MISSED)
    monkeypatch.setattr("qat.export.parity.ties.compare_logits", lambda a, b, s: MISSED)
    found = check(exported, ParityThresholds())
    assert (found.verdict.gate, found.verdict.cause) == ("passed", "ties")
    assert found.sensitivity == MISSED
    strict = check(exported, ParityThresholds(allow_ties=False))
    assert (strict.verdict.gate, strict.sensitivity) == ("failed", None)


def test_a_limit_changes_how_often_the_runtime_runs_and_no_result(exported, monkeypatch):
    runs = []
    plain = OnnxRuntimeSession.run_for

    def counted(self, pictures, names):
        runs.append(len(names))
        return plain(self, pictures, names)

    monkeypatch.setattr(OnnxRuntimeSession, "run_for", counted)
    free = check(exported, memory_limit_bytes=2**40)
    most, once = max(runs), len(runs)
    runs.clear()
    small = check(exported, memory_limit_bytes=1)
    assert max(runs) == 1 < most
    assert len(runs) > once
    for name in ("layers", "diverging", "logits", "verdict", "reference"):
        assert getattr(small, name) == getattr(free, name)
