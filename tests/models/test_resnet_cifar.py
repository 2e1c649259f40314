"""The residual networks of the CIFAR experiments: the paper's size, usual names, by hand."""

import pytest
import torch
from torch import nn

from qat.models.resnet_cifar import OptionAShortcut
from tests.models.networks import build, count


@pytest.mark.parametrize(
    ("name", "parameters", "layers"),
    [("resnet20", 269_722, 20), ("resnet32", 464_154, 32), ("resnet44", 658_586, 44),
     ("resnet56", 853_018, 56)],
)  # fmt: skip
def test_cifar_networks_have_the_papers_size(name, parameters, layers):
    net = build("builtin", name)
    assert count(net) == parameters
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in net.modules()) == layers
    assert net.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_keys_of_resnet20_are_those_of_the_usual_checkpoint():
    blocks = [f"layer{stage}.{block}" for stage in (1, 2, 3) for block in (0, 1, 2)]
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    expected = {"conv1.weight", "linear.weight", "linear.bias"}
    expected |= {f"bn1.{key}" for key in norm}
    for block in blocks:
        for index in (1, 2):
            expected.add(f"{block}.conv{index}.weight")
            expected |= {f"{block}.bn{index}.{key}" for key in norm}
    assert set(build("builtin", "resnet20").state_dict()) == expected


def test_option_a_takes_every_second_pixel_and_pads_channels_with_zeros():
    x = torch.arange(1.0, 33.0).reshape(1, 2, 4, 4)
    y = OptionAShortcut(stride=2, added=2)(x)
    assert y.shape == (1, 4, 2, 2)
    assert not y[:, 0].any()
    assert not y[:, 3].any()
    assert y[0, 1].tolist() == [[1, 3], [9, 11]]
    assert y[0, 2].tolist() == [[17, 19], [25, 27]]


def test_a_block_whose_convolutions_give_nothing_is_its_shortcut():
    net = build("builtin", "resnet20").eval()
    x = torch.randn(2, 16, 4, 4)
    for block, expected in ((net.layer1[0], x), (net.layer2[0], OptionAShortcut(2, 16)(x))):
        nn.init.zeros_(block.bn2.weight)
        assert torch.equal(block(x), expected.relu())
