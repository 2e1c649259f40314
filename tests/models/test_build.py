"""Networks by name: initial weights, names and options."""

import pytest
import torch

from qat.models.build import build_model
from tests.models.networks import build


def test_each_source_has_its_networks():
    sizes = {"classes": 7, "in_channels": 3, "image_size": 8}
    for source, name, kind in (
        ("builtin", "simple_cnn", "SimpleCNN"),
        ("builtin", "resnet20", "CifarResNet"),
        ("torchvision", "squeezenet1_1", "SqueezeNet"),
    ):
        assert type(build_model(source, name, **sizes)).__name__ == kind


def test_weights_are_a_function_of_the_seed_and_of_nothing_else():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = build("builtin", "resnet20", seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    again, other = build("builtin", "resnet20", seed=3), build("builtin", "resnet20", seed=4)
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("builtin", "resnet21", "no model 'resnet21'; there are simple_cnn, resnet20"),
        ("torchvision", "resnet_18", "similar names: resnet18"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(source, name, message):
    with pytest.raises(KeyError, match=message):
        build(source, name)


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"model\.options do not fit simple_cnn"):
        build("builtin", "simple_cnn", width=3)
