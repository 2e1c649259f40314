"""What each node of a traced network does, however it was written."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from qat.graph.operations import ELEMENTWISE, UnsupportedOperationError, operations
from qat.graph.trace import trace


class Written(nn.Module):
    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.function(self, x)


def read(function, **layers):
    return list(operations(trace(Written(function, **layers))).values())


def kinds(function, **layers):
    return [operation.kind for operation in read(function, **layers)][1:-1]


ALIKE = {
    "relu": [
        nn.ReLU(),
        F.relu,
        torch.relu,
        F.relu_,
        lambda x: x.relu(),
        lambda x: x.relu_(),
    ],
    "relu6": [nn.ReLU6(), F.relu6],
    "silu": [nn.SiLU(), F.silu],
    "hardswish": [nn.Hardswish(), F.hardswish],
    "sigmoid": [nn.Sigmoid(), torch.sigmoid, F.sigmoid, lambda x: x.sigmoid()],
    "hardsigmoid": [nn.Hardsigmoid(), F.hardsigmoid],
    "tanh": [nn.Tanh(), torch.tanh, F.tanh, lambda x: x.tanh()],
    "gelu": [nn.GELU(), F.gelu],
    "leaky_relu": [nn.LeakyReLU(), F.leaky_relu],
    "elu": [nn.ELU(), F.elu],
    "add": [lambda x: x + x, lambda x: torch.add(x, x), lambda x: x.add(x)],
    "mul": [lambda x: x * x, lambda x: torch.mul(x, other=x), lambda x: x.mul(x)],
    "max_pool": [nn.MaxPool2d(2), lambda x: F.max_pool2d(x, 2), lambda x: torch.max_pool2d(x, 2)],
    "avg_pool": [nn.AvgPool2d(2), lambda x: F.avg_pool2d(x, 2)],
    "adaptive_avg_pool": [nn.AdaptiveAvgPool2d(1), lambda x: F.adaptive_avg_pool2d(x, 1)],
    "mean": [lambda x: x.mean((2, 3)), lambda x: torch.mean(x, dim=(2, 3))],
    "concat": [lambda x: torch.cat([x, x]), lambda x: torch.concat(tensors=(x, x), dim=1)],
    "flatten": [nn.Flatten(), lambda x: torch.flatten(x, 1), lambda x: x.flatten(1)],
    "reshape": [
        lambda x: x.view(2, -1),
        lambda x: x.reshape(2, -1),
        lambda x: torch.reshape(x, (2, -1)),
        lambda x: x.view(x.size(0), -1),
        lambda x: x.view(x.shape[0], x.shape[1] * 64),
    ],
    "permute": [lambda x: x.permute(0, 2, 3, 1), lambda x: torch.permute(x, (0, 2, 3, 1))],
    "slice": [lambda x: x[:, 1:]],
    "pad": [lambda x: F.pad(x, (1, 1))],
    "identity": [nn.Identity(), nn.Dropout(), nn.Dropout2d(), lambda x: x.contiguous()],
}


@pytest.mark.parametrize("kind", ALIKE)
def test_modules_functions_and_methods_are_one_kind(kind):
    for written in ALIKE[kind]:
        if isinstance(written, nn.Module):
            assert kinds(lambda self, x: self.layer(x), layer=written) == [kind]
        else:
            assert kinds(lambda self, x, f=written: f(x)) == [kind]


def test_every_elementwise_function_is_tested():
    assert set(ELEMENTWISE) <= ALIKE.keys()


def test_layers_and_norms():
    def forward(self, x):
        return self.linear(self.norm(self.conv(x)).mean((2, 3)))

    layers = {
        "conv": nn.Conv2d(3, 4, 1),
        "norm": nn.BatchNorm2d(4),
        "linear": nn.Linear(4, 5),
    }
    assert kinds(forward, **layers) == ["conv", "norm", "mean", "linear"]


def test_names_are_those_of_layers_and_of_the_modules_that_call():
    inner = Written(lambda self, x: x + self.conv(x + x), conv=nn.Conv2d(3, 3, 1))

    def forward(self, x):
        return self.block(self.block(x)) + x

    found = [operation.name for operation in read(forward, block=inner)]
    assert found == [
        "input",
        *("block.add", "block.conv", "block.add:2"),
        *("block.add:3", "block.conv:2", "block.add:4"),
        "add",
        "output",
    ]


def test_inputs_stand_in_order_and_as_often_as_they_are_read():
    def forward(self, x):
        y = x.relu()
        z = torch.cat((y, x, y), dim=1)
        return z + z

    _, relu, concat, add, _ = read(forward)
    assert [node.name for node in concat.inputs] == ["relu", "x", "relu"]
    assert concat.inputs[0] is relu.node
    assert add.inputs == (concat.node, concat.node)


def test_sizes_are_no_tensors():
    def forward(self, x):
        n, rows = x.size(0), x.shape[2]
        half = rows // 2
        return x[:, :, :half].reshape(n, 3 * half, -1)

    assert kinds(forward) == ["slice", "reshape"]


REFUSED = {
    r"softmax\(\)": lambda self, x: x.softmax(1),
    r"matmul\(\)": lambda self, x: x @ x,
    r"sub\(\)": lambda self, x: x - x,
    "the use of the parameter 'scale'": lambda self, x: x * self.scale,
    "layer 'odd', a Softplus,": lambda self, x: self.odd(x),
    "layer 'odd1d', a Conv1d,": lambda self, x: self.odd1d(x),
    r"unbind\(\)": lambda self, x: x.unbind(2)[0],
}


@pytest.mark.parametrize("named", REFUSED)
def test_what_has_no_integer_form_is_named_with_its_line(named):
    net = Written(REFUSED[named], odd=nn.Softplus(), odd1d=nn.Conv1d(3, 3, 1))
    net.scale = nn.Parameter(torch.ones(1))
    line = REFUSED[named].__code__.co_firstlineno
    message = rf"{named} at test_operations\.py:{line} has no integer form .*placement=academic"
    with pytest.raises(UnsupportedOperationError, match=message):
        operations(trace(net))


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("add", lambda self, x: x + 1),
        ("mul", lambda self, x: 2 * x),
        ("mul", lambda self, x: x * x.size(2)),
    ],
)
def test_a_number_is_no_tensor(kind, function):
    message = rf"{kind} of a tensor and a number at test_operations\.py:\d+ .*fold the number"
    with pytest.raises(UnsupportedOperationError, match=message):
        read(function)
