"""Rows of the tensors of a network, against numpy."""

import numpy as np
import pytest

from qat.analysis.layers import _outputs, layer_sqnr, tensor_rows
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Rule, Scheme, TensorSpec


def by_numpy(a, b):
    a, b = a.detach().double().numpy(), b.detach().double().numpy()
    return 10 * np.log10((a**2).sum() / ((a - b) ** 2).sum())


@pytest.fixture
def pair(tiny_model, tiny_images):
    rules = (Rule("grouped", act={"bits": 32}),)
    scheme = Scheme(weight=TensorSpec(bits=4), act=TensorSpec(bits=4), rules=rules)
    qnet = quantize(tiny_model, make_plan(tiny_model, scheme, tiny_images))
    calibrate(qnet, [tiny_images])
    return tiny_model, qnet.eval()


def test_every_layer_has_its_own_figures(pair, tiny_images):
    net, qnet = pair
    rows = {row.name: row for row in layer_sqnr(net, qnet, tiny_images)}
    assert list(rows) == ["stem", "depthwise", "grouped", "head"]
    stem = qnet.stem
    expected = by_numpy(stem.weight, stem.weight_quantizer(stem.weight))
    assert rows["stem"].weight_db == pytest.approx(expected)
    assert rows["stem"].act_db == pytest.approx(
        by_numpy(tiny_images, stem.input_quantizer(tiny_images))
    )
    assert rows["grouped"].act_db is None
    assert rows["head"].output_db == pytest.approx(by_numpy(net(tiny_images), qnet(tiny_images)))


def test_modes_and_hooks_are_left_as_they_were(pair, tiny_images):
    net, qnet = pair
    qnet.train()
    layer_sqnr(net, qnet, tiny_images)
    assert qnet.norm.training
    assert not any(m._forward_hooks for n in pair for m in n.modules())


def test_batches_add_up_to_all_images(pair, tiny_images):
    net, qnet = pair
    whole = tensor_rows(net, qnet, tiny_images)
    parts = tensor_rows(net, qnet, iter(tiny_images.split(6)))
    assert [(row.name, row.slot) for row in parts] == [(row.name, row.slot) for row in whole]
    for one, all_ in zip(parts, whole, strict=True):
        exact = ("bits", "step", "used_codes", "clipped", "max_error_steps")
        assert [getattr(one, name) for name in exact] == [getattr(all_, name) for name in exact]
        assert one.sqnr_db == pytest.approx(all_.sqnr_db, rel=1e-6)
        if one.rms_error_steps is not None:
            assert one.rms_error_steps == pytest.approx(all_.rms_error_steps, rel=1e-6)


def test_a_limit_changes_how_often_networks_run_and_no_row(pair, tiny_images):
    """One byte keeps one output at a time: a pass for each of the four layers."""
    net, qnet = pair
    passes = []
    handle = net.register_forward_hook(lambda *_: passes.append(1))
    rows = tensor_rows(net, qnet, tiny_images)
    assert len(passes) == 1
    assert tensor_rows(net, qnet, tiny_images, memory_limit_bytes=1) == rows
    assert len(passes) == 1 + 4
    handle.remove()


def test_outputs_up_to_the_limit_are_kept_at_once(pair, tiny_images):
    net, _ = pair
    limit_bytes = net.stem(tiny_images).nbytes
    kept = _outputs(net, ["stem", "depthwise", "grouped", "head"], tiny_images, limit_bytes)
    assert list(kept) == ["stem"]


def test_a_row_by_numpy(pair, tiny_images):
    net, qnet = pair
    row = next(r for r in tensor_rows(net, qnet, tiny_images.split(5)) if r.slot == "act")
    scale = float(qnet.stem.input_quantizer.qparams().scale)
    x = tiny_images.double().numpy()
    codes = np.clip(np.round(tiny_images.numpy() / np.float32(scale)), -128, 127)
    error = codes * scale - x
    assert row.used_codes == len(np.unique(codes)) / 256
    assert row.rms_error_steps == pytest.approx(np.sqrt((error**2).mean()) / scale, rel=1e-4)
    assert row.max_error_steps == pytest.approx(np.abs(error).max() / scale, rel=1e-4)
