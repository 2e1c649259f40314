"""MACs, BOPs and bytes of weights: counts by hand, and the figures that papers publish."""

import pytest
import torch
from torch import nn

from qat.convert.rules import make_plan
from qat.core.scheme import Scheme, TensorSpec
from qat.cost.macs import LayerCost, layer_costs, total_bops, total_macs
from qat.models.build import build_model


def cifar(name):
    return build_model("builtin", name, classes=10, in_channels=3, image_size=32)


def scheme(bits):
    spec = TensorSpec(bits=bits)
    return Scheme(weight=spec, act=spec)


def test_every_layer_by_hand(tiny_model, tiny_images):
    costs = {cost.name: cost for cost in layer_costs(tiny_model, None, tiny_images)}
    assert {name: cost.macs for name, cost in costs.items()} == {
        "stem": 8 * 8 * 8 * 3 * 3 * 3,
        "depthwise": 8 * 4 * 4 * 3 * 3,
        "grouped": 12 * 4 * 4 * 2 * 3 * 3,
        "head": 12 * 5,
    }
    assert {name: cost.weights for name, cost in costs.items()} == {
        "stem": 216, "depthwise": 72, "grouped": 216, "head": 60,
    }  # fmt: skip


def test_the_batch_does_not_count(tiny_model, tiny_images):
    one, all_of_them = tiny_images[:1], tiny_images
    macs = [total_macs(layer_costs(tiny_model, None, x)) for x in (one, all_of_them)]
    assert macs[0] == macs[1]


def test_a_layer_called_twice_costs_twice(tiny_images):
    layer = nn.Conv2d(3, 3, 1)
    (cost,) = layer_costs(nn.Sequential(layer, layer), None, tiny_images)
    assert cost.macs == 2 * 64 * 9
    assert cost.weights == 9


def test_transposed_convolutions_and_one_dimension():
    net = nn.Sequential(
        nn.Conv1d(2, 4, 3), nn.ConvTranspose1d(4, 3, 2), nn.ConvTranspose1d(3, 6, 1, groups=3)
    )
    costs = layer_costs(net, None, torch.zeros(1, 2, 10))
    assert [cost.macs for cost in costs] == [4 * 8 * 2 * 3, 4 * 8 * 3 * 2, 3 * 9 * 2]


def test_a_linear_layer_counts_at_every_token():
    (cost,) = layer_costs(nn.Sequential(nn.Linear(4, 6)), None, torch.zeros(3, 5, 4))
    assert cost.macs == 5 * 4 * 6


def test_bytes_of_weights_are_rounded_up():
    assert LayerCost("it", macs=1, weight_bits=3, act_bits=8, weights=9).weight_bytes == 4


def test_bits_multiply(tiny_model, tiny_images):
    plan = make_plan(tiny_model, Scheme(TensorSpec(bits=3), TensorSpec(bits=5)), tiny_images)
    costs = {cost.name: cost for cost in layer_costs(tiny_model, plan, tiny_images)}
    assert costs["grouped"].bops == costs["grouped"].macs * 15
    assert costs["head"].bops == costs["head"].macs * 64
    assert costs["grouped"].weight_bytes == 216 * 3 // 8
    floats = layer_costs(tiny_model, None, tiny_images)
    assert all(cost.bops == cost.macs * 1024 for cost in floats)


@pytest.mark.parametrize(
    ("name", "macs", "weights", "gbops"),
    [
        ("resnet20", 40_551_040, 268_336, {32: 41.524, 8: 2.5953, 4: 0.6701, 2: 0.1888}),
        ("resnet32", 68_862_592, 461_872, {32: 70.515, 8: 4.407, 4: 1.123, 2: 0.302}),
        ("resnet56", 125_485_696, 848_944, {32: 128.50, 8: 8.031, 4: 2.029, 2: 0.5285}),
    ],
)
def test_published_costs_of_the_cifar_networks(name, macs, weights, gbops):
    net, image = cifar(name), torch.zeros(1, 3, 32, 32)
    for bits, expected in gbops.items():
        plan = make_plan(net, scheme(bits), image) if bits < 32 else None
        costs = layer_costs(net, plan, image)
        assert total_macs(costs) == macs
        assert sum(cost.weights for cost in costs) == weights
        assert total_bops(costs) / 1e9 == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize(("bits", "compression"), [(4, 7.97), (2, 15.81)])
def test_published_weight_compression_of_resnet20(bits, compression):
    """Weights as if all had these bits, which is what the published figures divide by."""
    net, image = cifar("resnet20"), torch.zeros(1, 3, 32, 32)
    costs = layer_costs(net, make_plan(net, scheme(bits), image), image)
    whole = 4 * sum(cost.weights for cost in costs)
    assert whole / sum(cost.weight_bytes for cost in costs) == pytest.approx(compression, abs=0.01)


def test_published_costs_of_resnet18():
    net = build_model("torchvision", "resnet18", classes=1000, in_channels=3, image_size=224)
    image = torch.zeros(1, 3, 224, 224)
    gbops = {32: 1857.6, 8: 116.10, 4: 34.71}
    for bits, expected in gbops.items():
        plan = make_plan(net, scheme(bits), image) if bits < 32 else None
        costs = layer_costs(net, plan, image)
        assert total_macs(costs) == 1_814_073_344
        assert total_bops(costs) / 1e9 == pytest.approx(expected, rel=5e-4)
    assert 4 * sum(cost.weights for cost in costs) / 2**20 == pytest.approx(44.55, abs=0.1)
