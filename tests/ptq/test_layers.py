"""The layers of a network with their inputs and outputs, against hooks on whole networks."""

import pytest
import torch

from qat.convert.swap import to_float
from qat.ptq.held import hold
from qat.ptq.layers import each_layer, each_segment, kept
from tests.ptq.networks import IMAGES, Residual, quantized, seeded, work_of


def captured(net, name, images):
    """Input and output of a layer in a whole forward pass."""
    seen = []
    handle = net.get_submodule(name).register_forward_hook(lambda _, x, y: seen.append((x[0], y)))
    with torch.no_grad():
        net(images)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("placement", ["academic", "integer"])
@pytest.mark.parametrize("budget_bytes", [2**30, 8])
def test_inputs_come_from_the_network_whose_earlier_layers_are_finished(placement, budget_bytes):
    qnet = quantized(seeded(Residual), bits=3, placement=placement)
    net = to_float(qnet)
    names = []
    for layer in each_layer(work_of(qnet, budget_bytes=budget_bytes)):
        parts = [captured(qnet, layer.name, part)[0] for part in IMAGES.split(4)]
        with torch.no_grad():
            expected = layer.twin.input_quantizer(torch.cat(parts))
        assert torch.equal(layer.inputs, expected)
        known = [captured(net, layer.name, part) for part in IMAGES.split(4)]
        assert torch.equal(layer.float_inputs, torch.cat([x for x, _ in known]))
        assert torch.equal(layer.float_outputs, torch.cat([y for _, y in known]))
        own = layer.twin.weight_quantizer
        hold(layer.twin, torch.full_like(own.encode(layer.twin.folded()[0]), own.grid.qmax))
        names.append(layer.name)
    assert names == ["stem", "block.conv1", "block.conv2", "fc"]


def test_a_loop_may_stop_early_and_leaves_no_hooks():
    qnet = quantized(seeded(Residual))
    work = work_of(qnet)
    for layer in each_layer(work):
        if layer.name == "block.conv1":
            break
    for net in (qnet, work.float_net):
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_layers_with_a_float_weight_are_left_out():
    assert not list(each_layer(work_of(quantized(seeded(Residual), bits=32))))


def test_progress_is_shown_by_the_callable_of_the_work():
    seen = []

    def track(text, items):
        seen.append((text, len(items)))
        return items

    list(each_segment(work_of(quantized(seeded(Residual)), track=track)))
    assert seen == [("layers", 3)]


def test_a_tensor_is_kept_within_the_budget(monkeypatch):
    work = work_of(quantized(seeded(Residual)), budget_bytes=8 * 48)
    limits = []
    monkeypatch.setattr(
        "qat.ptq.layers.gathered", lambda parts, images, limit: limits.append((images, limit))
    )
    kept(work, iter([]))
    assert limits == [(12, 48)]
