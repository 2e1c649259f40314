"""Equalization: equal ranges, equal outputs; absorption by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.analysis.sqnr import sqnr_db
from qat.ptq.clip import ChannelClip
from qat.ptq.equalize import Equalize, by_input, factors_of, input_response, scale_inputs
from qat.ptq.request import requested_steps
from qat.ptq.sequence import change_float
from qat.ptq.work import ChannelStatistics, FloatWork
from tests.ptq.networks import IMAGES, chain_net, quantized, seeded


def ranges(net, first, second):
    """Largest weights that make and that read each channel, by loops over the channels."""
    a, b = (net.get_submodule(name).weight.detach().numpy() for name in (first, second))
    made = [np.abs(a[i]).max() for i in range(len(a))]
    if b.ndim == 2:
        return made, [np.abs(b[:, i]).max() for i in range(len(a))]
    groups = net.get_submodule(second).groups
    per, outs = b.shape[1], len(b) // groups
    read = []
    for i in range(len(a)):
        group, column = divmod(i, per)
        read.append(np.abs(b[group * outs : (group + 1) * outs, column]).max())
    return made, read


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
@torch.no_grad()
def test_ranges_become_equal_through_a_depthwise_block_and_outputs_stay(activation):
    net = seeded(lambda: chain_net(activation))
    before = net(IMAGES * 4)  # so that ReLU6 clips
    changed = change_float(net, requested_steps(["fold", "equalize"])).net
    after = changed(IMAGES * 4)
    assert torch.allclose(after, before, rtol=1e-4, atol=1e-4)
    for pair in (("0", "3"), ("3", "6"), ("6", "11")):
        made, read = ranges(changed, *pair)
        assert np.allclose(made, read, rtol=1e-3)


@torch.no_grad()
def test_one_pair_by_hand():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).eval()
    net[0].weight.copy_(torch.tensor([[8.0, 1.0], [0.5, -1.0]]))
    net[0].bias.copy_(torch.tensor([4.0, 3.0]))
    net[2].weight.copy_(torch.tensor([[2.0, -4.0]]))
    Equalize().change(
        work := FloatWork(net, {"0": ChannelStatistics(torch.ones(2), torch.ones(2))})
    )
    # s = sqrt(8 / 2), sqrt(1 / 4)
    assert net[0].weight.tolist() == [[4.0, 0.5], [1.0, -2.0]]
    assert net[0].bias.tolist() == [2.0, 6.0]
    assert net[2].weight.tolist() == [[4.0, -2.0]]
    assert work.statistics["0"].mean.tolist() == [0.5, 2.0]
    assert work.statistics["0"].std.tolist() == [0.5, 2.0]


def test_zero_channels_are_not_rescaled():
    assert factors_of(torch.tensor([0.0, 4.0, 1.0]), torch.tensor([1.0, 1.0, 0.0])).tolist() == [
        1.0, 2.0, 1.0
    ]  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2, 6])
@torch.no_grad()
def test_grouped_weights_against_the_layer_itself(groups):
    layer = nn.Conv2d(6, 12, 3, groups=groups, bias=False)
    s, x = torch.rand(6) + 0.5, torch.randn(2, 6, 5, 5)
    expected = layer(x * s.reshape(1, 6, 1, 1))
    flat = layer(s.reshape(1, 6, 1, 1).expand(1, 6, 3, 3)).flatten()
    assert torch.allclose(input_response(layer.weight, layer, s), flat, atol=1e-6)
    assert by_input(layer, 6).shape == (6, 12 // groups * 9)
    scale_inputs(layer, s)
    assert torch.allclose(layer(x), expected, atol=1e-5)


@torch.no_grad()
def test_a_linear_layer_behind_a_flattening():
    layer, s, x = nn.Linear(8, 3, bias=False), torch.tensor([0.5, 3.0]), torch.randn(2, 2, 2, 2)
    expected = layer((x * s.reshape(1, 2, 1, 1)).flatten(1))
    assert torch.allclose(
        input_response(layer.weight, layer, s),
        layer(s.repeat_interleave(4).reshape(1, 8)).flatten(),
    )
    scale_inputs(layer, s)
    assert torch.allclose(layer(x.flatten(1)), expected, atol=1e-6)


def test_relu6_becomes_a_clip_of_each_channel_or_a_relu():
    net = seeded(lambda: chain_net(nn.ReLU6))
    kinds = {}
    for relu6 in ("clip", "relu"):
        steps = requested_steps(["fold", {"equalize": {"relu6": relu6}}])
        changed = change_float(net, steps).net
        kinds[relu6] = [type(changed[i]) for i in (2, 5, 8)]
    assert kinds == {"clip": [ChannelClip] * 3, "relu": [nn.ReLU] * 3}


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
@torch.no_grad()
def test_absorption_moves_a_bias_above_which_all_values_lie(activation):
    net = nn.Sequential(nn.Conv2d(1, 2, 1), activation(), nn.Conv2d(2, 1, 1)).eval()
    net[0].weight.fill_(1.0)
    net[0].bias.copy_(torch.tensor([4.0, 0.5]))
    net[2].weight.copy_(torch.tensor([1.0, 1.0]).reshape(1, 2, 1, 1))
    net[2].bias.fill_(0.25)
    mean, std = torch.tensor([4.0, 0.5]), torch.tensor([1.0, 1.0])
    x = torch.linspace(-3, 3, 12).reshape(3, 1, 2, 2)
    before = net(x)
    work = FloatWork(net, {"0": ChannelStatistics(mean, std)})
    Equalize(iterations=1, absorb=True).change(work)
    assert net[0].bias.tolist() == [3.0, 0.5]  # c = 4 - 3 * 1 and max(0, 0.5 - 3)
    assert net[2].bias.tolist() == [1.25]
    assert work.statistics["0"].mean.tolist() == [3.0, 0.5]
    assert torch.allclose(net(x), before, atol=1e-6)


@torch.no_grad()
def test_a_padded_layer_absorbs_nothing():
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 3, padding=1)).eval()
    bias = float(net[0].bias)
    known = ChannelStatistics(torch.tensor([9.0]), torch.tensor([1.0]))
    Equalize(iterations=1, absorb=True).change(work := FloatWork(net, {"0": known}))
    scaled = bias * float(work.statistics["0"].mean) / 9
    assert float(net[0].bias) == pytest.approx(scaled, rel=1e-5)


@torch.no_grad()
def test_a_network_made_unequal_falls_per_tensor_and_comes_back():
    net = seeded(lambda: chain_net(norms=False))
    unequal = seeded(lambda: chain_net(norms=False))
    generator = torch.Generator().manual_seed(1)
    for first, second in (("0", "3"), ("3", "6"), ("6", "11")):
        a, b = unequal.get_submodule(first), unequal.get_submodule(second)
        powers = torch.randint(-5, 6, (len(a.weight),), generator=generator)
        s = torch.pow(2.0, powers.float())
        a.weight.mul_(s.reshape(-1, *[1] * 3))
        a.bias.mul_(s)
        scale_inputs(b, 1 / s)
    assert torch.equal(unequal(IMAGES), net(IMAGES))  # powers of two are exact
    steps = requested_steps(["fold", "equalize"])
    restored, equalized = (change_float(each, steps).net for each in (unequal, net))
    for name, weight in restored.named_parameters():  # there is one equal network
        assert torch.allclose(weight, equalized.get_parameter(name), rtol=1e-3)
    quality = {
        name: sqnr_db(net(IMAGES), quantized(each, 8, "tensor")(IMAGES))
        for name, each in (("plain", net), ("unequal", unequal), ("equalized", restored))
    }
    assert quality["unequal"] < quality["plain"] - 10
    assert quality["equalized"] > quality["plain"] - 6
