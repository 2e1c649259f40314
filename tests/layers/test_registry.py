"""Which layers have a twin."""

import pytest
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm

from qat.layers.conv import QuantConv1d, QuantConv2d
from qat.layers.linear import QuantLinear
from qat.layers.registry import TWINS, twin_of


@pytest.mark.parametrize(
    ("layer", "twin"),
    [
        (nn.Conv1d(3, 3, 1), QuantConv1d),
        (nn.Conv2d(3, 3, 1), QuantConv2d),
        (nn.Linear(3, 3), QuantLinear),
        (nn.ConvTranspose2d(3, 3, 1), None),
    ],
)
def test_a_twin_is_a_subclass_of_its_layer(layer, twin):
    assert twin_of(layer) is twin
    assert twin is None or issubclass(twin, type(layer))


def test_layers_that_may_compute_something_else_have_none():
    class Mine(nn.Conv2d):
        pass

    assert twin_of(Mine(3, 3, 1)) is None
    assert twin_of(parametrizations.spectral_norm(nn.Linear(3, 3))) is None
    hooked = spectral_norm(nn.Linear(3, 3))
    assert type(hooked) is nn.Linear
    assert twin_of(hooked) is None


def test_a_twin_has_no_twin():
    assert not set(TWINS) & set(TWINS.values())
