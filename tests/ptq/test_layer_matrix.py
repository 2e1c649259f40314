"""The methods that choose codes by moments, on whole layers of every kind."""

import copy

import pytest
import torch

from qat.convert.swap import to_float
from qat.ptq.layer_matrix import LayerMatrix
from qat.ptq.layers import each_layer
from qat.ptq.request import requested_steps
from qat.ptq.sequence import change_quantized
from tests.ptq.small_networks import Small, quantized, work_on

METHODS = ["gptq", "gpfq", "comq", "qronos"]


def test_codes_of_matrices_fit_the_layer():
    qnet, images = quantized(Small())
    for layer in each_layer(work_on(qnet, images)):
        own = LayerMatrix.of(layer)
        groups = getattr(layer.twin, "groups", 1)
        assert own.weight.shape[0] == groups
        assert torch.equal(own.codes(own.weight * 0 + 1), torch.ones_like(layer.twin.weight).int())
        parts = list(own.batches(layer.inputs))
        assert torch.equal(torch.cat(parts), layer.inputs)


@torch.no_grad()
def layer_errors(qnet, images, net):
    """Square error of each layer's output, all layers before it rounded as in the network."""
    errors = {}
    for layer in each_layer(work_on(copy.deepcopy(qnet), images, net)):
        own = layer.twin(layer.inputs, rounded=True)
        errors[layer.name] = float((own - layer.float_outputs).square().mean())
    return errors


@pytest.mark.parametrize(
    ("placement", "granularity"),
    [
        ("academic", "channel"),
        ("integer", "tensor"),
        pytest.param("academic", "tensor", marks=pytest.mark.slow),
        pytest.param("integer", "channel", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_every_layer_of_a_network_comes_nearer_to_float(method, placement, granularity):
    act = 32 if placement == "academic" else 8
    qnet, images = quantized(Small(), granularity=granularity, placement=placement, act=act)
    other, net = copy.deepcopy(qnet), copy.deepcopy(to_float(qnet))
    change_quantized(work_on(other, images), requested_steps(["nearest"]))
    change_quantized(work_on(qnet, images), requested_steps([method]))
    ours, nearest = layer_errors(qnet, images, net), layer_errors(other, images, net)
    assert ours["fc"] < nearest["fc"]
    assert sum(ours.values()) < sum(nearest.values())
    for name in ours:  # rounding to nearest now gives the chosen codes
        twin = qnet.get_submodule(name)
        assert torch.equal(twin.weight_quantizer(twin.folded()[0]), twin.folded()[0])


@pytest.mark.parametrize("method", METHODS)
def test_groups_of_channels_and_free_zero_points(method):
    options = {"granularity": "group", "group_size": 2, "symmetric": False}
    qnet, images = quantized(Small(), **options)
    other, net = copy.deepcopy(qnet), copy.deepcopy(to_float(qnet))
    change_quantized(work_on(other, images), requested_steps(["nearest"]))
    change_quantized(work_on(qnet, images), requested_steps([method]))
    ours, nearest = layer_errors(qnet, images, net), layer_errors(other, images, net)
    assert sum(ours.values()) < sum(nearest.values())


@pytest.mark.parametrize("method", [*METHODS, "magr", "qwt"])
def test_an_interrupted_step_goes_on_where_it_was(method, tmp_path):
    qnet, images = quantized(Small())
    whole, resumed = copy.deepcopy(qnet), copy.deepcopy(qnet)
    change_quantized(work_on(whole, images), requested_steps([method]))
    half = work_on(copy.deepcopy(qnet), images)
    half.folder = tmp_path
    change_quantized(half, requested_steps([method]))
    for file in list(tmp_path.glob("*/*"))[2:]:
        file.unlink()
    work = work_on(resumed, images)
    work.folder = tmp_path
    change_quantized(work, requested_steps([method]))
    for key, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[key], value), key


def test_only_comq_moves_scales_and_not_those_that_are_powers_of_two():
    for method, options in [("gptq", {}), ("comq", {}), ("comq", {"scale": "power_of_two"})]:
        qnet, images = quantized(Small(), **options)
        before = qnet.a.weight_quantizer.qparams().scale.clone()
        change_quantized(work_on(qnet, images), requested_steps([method]))
        stays = torch.equal(before, qnet.a.weight_quantizer.qparams().scale)
        assert stays == (method == "gptq" or bool(options))


def test_magr_lowers_the_largest_weights_and_takes_the_ranges_again():
    qnet, images = quantized(Small())
    before = copy.deepcopy(qnet)
    change_quantized(work_on(qnet, images), requested_steps([{"magr": {"alpha": 0.05}}]))
    for name in ("a", "grouped", "fc"):
        old, new = (net.get_submodule(name) for net in (before, qnet))
        largest = [each.weight.flatten(1).abs().amax(dim=1) for each in (old, new)]
        assert bool((largest[1] <= largest[0] + 1e-6).all())
        scales = [each.weight_quantizer.qparams().scale for each in (old, new)]
        assert float(scales[1].mean()) < float(scales[0].mean())
    quantizer = qnet.a.weight_quantizer
    fresh = copy.deepcopy(quantizer)
    fresh.observer.reset()
    fresh.set_phase("observe")
    fresh(qnet.a.weight)
    fresh.set_phase("quantize")
    assert torch.equal(fresh.qparams().scale, quantizer.qparams().scale)
