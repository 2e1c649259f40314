"""Kernels that write into a tensor have the bits of the ordinary ones, and need no memory."""

import operator

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn

from qat.memory.kernels import kernel_into

X = 3 * torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
X[0, 0, 0] = torch.tensor([0.0, -0.0, float("nan"), float("inf"), -float("inf"), 6, 1e30])
Y = X.flip(0)

FUNCTIONS = {
    "relu": (F.relu, (X,)),
    "relu6": (F.relu6, (X,)),
    "sigmoid": (torch.sigmoid, (X,)),
    "tanh": (torch.tanh, (X,)),
    "silu": (F.silu, (X,)),
    "hardswish": (F.hardswish, (X,)),
    "hardsigmoid": (F.hardsigmoid, (X,)),
    "add": (operator.add, (X, Y)),
    "mul": (operator.mul, (X, Y)),
    "cat": (torch.cat, ((X, Y), 1)),
}


def node_of(module):
    """The traced network and its only operation."""
    traced = fx.symbolic_trace(module)
    return traced, list(traced.graph.nodes)[1]


def assert_writes(write, expected):
    out = torch.full_like(expected, 7.0)
    place = out.data_ptr()
    with torch.no_grad():
        write(out)
    assert out.data_ptr() == place
    assert torch.equal(out.view(torch.int32), expected.view(torch.int32))


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_kernels_have_the_ordinary_bits(kind):
    function, args = FUNCTIONS[kind]
    traced, node = node_of(lambda x: x.relu())
    assert_writes(kernel_into(node, kind, args, {}, traced), function(*args))


def test_a_batch_norm_has_the_ordinary_bits():
    norm = nn.BatchNorm2d(3).eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    traced, node = node_of(nn.Sequential(norm))
    with torch.no_grad():
        assert_writes(kernel_into(node, "batchnorm2d", (Y,), {}, traced), norm(Y))


class Sigmoid(nn.Module):
    """A layer of the user's own, with the name of one of torch's."""

    def forward(self, x):
        return x.sigmoid() + 1


@pytest.mark.parametrize(
    ("layer", "kind", "args"),
    [
        (nn.Conv2d(3, 4, 1), "conv2d", (X,)),
        (nn.BatchNorm2d(3, affine=False), "batchnorm2d", (X,)),
        (nn.ReLU(), "mul", (X, 4)),
    ],
)
def test_an_operation_without_such_a_kernel_has_none(layer, kind, args):
    traced, node = node_of(nn.Sequential(layer))
    assert kernel_into(node, kind, args, {}, traced) is None


def test_a_layer_that_is_not_torchs_has_none():
    root = nn.Module()
    root.own = Sigmoid()
    graph = fx.Graph()
    graph.output(graph.call_module("own", (graph.placeholder("x"),)))
    traced = fx.GraphModule(root, graph)
    node = list(graph.nodes)[1]
    assert kernel_into(node, "sigmoid", (X,), {}, traced) is None
