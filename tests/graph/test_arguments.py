"""The rows of arguments, against the signatures of torch and against calls by hand."""

import inspect

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn

from qat.graph.arguments import FUNCTIONS, MODULES, ArgumentError, bound, form_of


def read(function):
    """Arguments of the only operation of a function."""
    node = list(fx.symbolic_trace(function).graph.nodes)[-2]
    return bound(node, None, form_of(node, None))


WITH_SIGNATURE = [F.relu, F.hardtanh, F.silu, F.leaky_relu, F.elu, F.interpolate]


@pytest.mark.parametrize("function", WITH_SIGNATURE)
def test_rows_of_functions_have_the_order_and_defaults_of_torch(function):
    parameters = list(inspect.signature(function).parameters.values())[1:]
    pairs = list(zip(FUNCTIONS[function].arguments, parameters, strict=False))
    assert [row.name for row, _ in pairs] == [parameter.name for _, parameter in pairs]
    for row, parameter in pairs:
        if parameter.default is not inspect.Parameter.empty:
            assert row.default == parameter.default, row.name


def test_arguments_are_read_by_position_by_name_and_by_default():
    pool = {"kernel_size": 3, "stride": 2, "padding": 0, "dilation": 1, "ceil_mode": False}
    assert read(lambda x: F.max_pool2d(x, 3, stride=2)) == pool
    assert read(lambda x: x.view(2, 3)) == read(lambda x: x.view((2, 3))) == {"shape": (2, 3)}
    assert read(lambda x: torch.mean(x, axis=(2, 3))) == {"dim": (2, 3), "keepdim": False}


def test_arguments_of_a_layer_are_its_attributes():
    node = list(fx.symbolic_trace(nn.Sequential(nn.LeakyReLU(0.2))).graph.nodes)[1]
    layer = nn.LeakyReLU(0.2)
    arguments = bound(node, layer, MODULES[nn.LeakyReLU])
    assert arguments == {"negative_slope": 0.2, "inplace": False}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: F.avg_pool2d(x, 2, divisor_override=3), "has divisor_override=3"),
        (lambda x: x.relu(1), "has 1 arguments more than are understood"),
        (lambda x: x.mean((2, 3), other=1), "has other=1"),
    ],
)
def test_an_argument_that_is_not_understood_is_refused(function, message):
    with pytest.raises(ArgumentError, match=message):
        read(function)
