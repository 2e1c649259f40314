"""A factory of the user's own: what it is called with, and what is refused."""

import pytest
from torch import nn

from qat.models.user import user_model

CODE = """
import torch

def net(classes, width=2):
    return torch.nn.Linear(width, classes)

def as_in_torchvision(num_classes=1000, width=2):
    return torch.nn.Linear(width, num_classes)

def by_position(*sizes):
    return torch.nn.Linear(*sizes)

def of_anything(**sizes):
    return torch.nn.Linear(sizes["in_channels"], sizes["classes"])

def no_net():
    return 3
"""
SIZES = {"classes": 7, "in_channels": 3}


@pytest.fixture(autouse=True)
def factories(tmp_path, monkeypatch):
    (tmp_path / "nets_of_a_user.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(
    ("factory", "options", "shape"),
    [
        ("net", {"width": 5}, (7, 5)),
        ("as_in_torchvision", {}, (7, 2)),
        ("as_in_torchvision", {"num_classes": 9}, (9, 2)),
        ("by_position", {}, (3, 7)),
        ("of_anything", {}, (7, 3)),
    ],
)
def test_a_factory_gets_the_sizes_that_it_takes(factory, options, shape):
    net = user_model(f"nets_of_a_user:{factory}", SIZES, options)
    assert isinstance(net, nn.Linear)
    assert net.weight.shape == shape


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("nets_of_a_user:no_net", {}, r"must return a torch\.nn\.Module, got <class 'int'>"),
        ("nets_of_a_user:net", {"widht": 5}, "no option 'widht'; it takes classes, width"),
        ("nets_of_a_user:nowhere", {}, "nets_of_a_user has no 'nowhere'"),
        ("nets_of_a_user", {}, r"must be package\.module:name"),
        ("torch.nn:Linear", {}, "options do not fit torch.nn:Linear: missing a required argument: "
         "'in_features'; it gets those of classes, in_channels that it names, and model.options"),
    ],
)  # fmt: skip
def test_others_are_refused_with_what_is_wrong(target, options, message):
    with pytest.raises(ValueError, match=message):
        user_model(target, SIZES, options)
