"""Stochastic depth is known once torchvision is loaded, and is not looked for before."""

import subprocess
import sys

import pytest
from torch import nn
from torchvision.ops import StochasticDepth, stochastic_depth

from qat.graph.stochastic_depth import (
    is_stochastic_depth,
    stochastic_depth_functions,
    stochastic_depth_layer,
)

SCRIPT = """
import sys
from torch import nn
from qat.graph.trace import trace
from qat.graph.stochastic_depth import is_stochastic_depth, stochastic_depth_functions
trace(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Dropout()))
known = is_stochastic_depth(nn.Dropout())
print(known, len(stochastic_depth_functions()), "torchvision" in sys.modules)
"""


class Derived(StochasticDepth):
    pass


def test_the_layer_and_derived_ones_are_known():
    assert is_stochastic_depth(StochasticDepth(0.5, "row"))
    assert is_stochastic_depth(Derived(0.5, "row"))
    assert not is_stochastic_depth(nn.Dropout())


def test_a_call_becomes_the_layer_with_its_arguments():
    assert stochastic_depth_functions() == (stochastic_depth,)
    layer = stochastic_depth_layer({"p": 0.25, "mode": "batch"})
    assert isinstance(layer, StochasticDepth)
    assert (layer.p, layer.mode) == (0.25, "batch")


@pytest.mark.slow
def test_tracing_a_network_without_it_loads_no_torchvision():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "0", "False"]
