"""Where the quantizers of integer networks stand."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from qat.graph.operations import UnsupportedOperationError
from qat.graph.points import place
from qat.graph.trace import trace


class Net(nn.Module):
    """Three convolutions ``a, b, c`` of 3 channels, norms, and a forward of one's own."""

    def __init__(self, function):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(3, 3, 1) for _ in range(3))
        self.norm, self.other = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.fc, self.flat = nn.Linear(3, 3), nn.BatchNorm1d(3)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def placed(function):
    return place(trace(Net(function)))


def members(function):
    return {name: point.members for name, point in placed(function).points.items()}


def test_convolution_norm_and_rectifier_are_one_point():
    found = placed(lambda self, x: self.b(F.relu6(self.norm(self.a(x)))))
    assert {name: point.members for name, point in found.points.items()} == {
        "input": ("input",),
        "a": ("a", "norm", "relu6"),
        "b": ("b",),
    }
    assert found.norms == {"a": "norm"}
    assert found.points["a"].rectifier == "relu6"
    assert found.points["a"].node.name == "relu6"
    assert found.points["b"].rectifier is None


def test_a_linear_layer_takes_its_norm_too():
    found = placed(lambda self, x: self.flat(self.fc(x.mean((2, 3)))).relu())
    assert found.norms == {"fc": "flat"}


@pytest.mark.parametrize(
    ("function", "by_hand"),
    [
        (lambda self, x: (x + self.a(x)).relu(), [("a",), ("add", "relu")]),
        (lambda self, x: (x * self.a(x)).relu(), [("a",), ("mul", "relu")]),
        (lambda self, x: F.silu(self.a(x)), [("a",), ("silu",)]),
        (lambda self, x: self.norm(x).relu(), [("norm", "relu")]),
        (lambda self, x: F.avg_pool2d(self.a(x), 2).relu(), [("a",), ("avg_pool",), ("relu",)]),
        (lambda self, x: F.relu(F.relu(self.a(x))), [("a", "relu"), ("relu:2",)]),
        (lambda self, x: self.norm(self.a(x).relu()), [("a", "relu"), ("norm",)]),
        (lambda self, x: self.other(self.norm(self.a(x))), [("a", "norm"), ("other",)]),
    ],
)
def test_chains(function, by_hand):
    assert list(members(function).values()) == [("input",), *by_hand]


def test_a_tensor_that_is_read_twice_is_stored_before_what_follows():
    def forward(self, x):
        y = self.a(x)
        return y.relu() + y

    assert list(members(forward)) == ["input", "a", "relu", "add"]

    def norms(self, x):
        y = self.a(x)
        return self.norm(y) + y

    found = placed(norms)
    assert list(found.points) == ["input", "a", "norm", "add"]
    assert not found.norms


def test_what_passes_codes_on_has_no_quantizer():
    def forward(self, x):
        x = F.max_pool2d(self.a(x), 2)
        return self.b(F.pad(x.permute(0, 1, 3, 2), (1, 1))[:, :, 1:]).flatten(1)

    found = placed(forward)
    assert list(found.points) == ["input", "a", "b"]
    sources = {node.name: name for node, name in found.sources.items()}
    assert sources["max_pool2d"] == sources["pad"] == sources["getitem"] == "a"
    assert sources["flatten"] == "b"


def test_what_meets_in_a_concatenation_shares_a_quantizer():
    def forward(self, x):
        y = torch.cat([self.a(x), F.max_pool2d(self.b(x).relu(), 1)], 1)
        return torch.cat([y, self.c(x)], 1)

    found = placed(forward)
    assert found.shares == {"input": "input", "a": "a", "b": "a", "c": "a"}
    last = next(o for o in found.operations.values() if o.name == "concat:2")
    assert found.leader(last.node) == "a"


def test_sharing_is_transitive_and_led_by_the_first():
    def forward(self, x):
        a, b, c = self.a(x), self.b(x), self.c(x)
        return torch.cat([b, c], 1).mean((2, 3)) + torch.cat([c, a], 1).mean((2, 3))

    found = placed(forward)
    assert {found.shares[name] for name in "abc"} == {"a"}
    assert found.shares["add"] == "add"


def test_the_inputs_of_a_layer_that_is_called_twice_share_a_quantizer():
    """Its bias has one scale, of weight and input."""
    found = placed(lambda self, x: self.a(self.b(self.a(x).relu()).relu()))
    assert list(found.points) == ["input", "a", "b", "a:2"]
    assert found.shares == {"input": "input", "a": "a", "b": "input", "a:2": "a:2"}


def test_a_norm_that_always_follows_its_layer_is_folded():
    def forward(self, x):
        return self.norm(self.a(self.norm(self.a(x)).relu()))

    found = placed(forward)
    assert found.norms == {"a": "norm", "a:2": "norm:2"}
    assert list(found.points) == ["input", "a", "a:2"]


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: self.other(self.a(self.norm(self.a(x)))),
        lambda self, x: self.a(self.norm(self.a(x))),
        lambda self, x: self.norm(self.a(x)) + self.norm(self.b(x)),
        lambda self, x: self.norm(self.norm(self.a(x))),
    ],
    ids=["two norms", "once without", "two layers", "norm twice"],
)
def test_a_norm_that_does_not_stands_alone(function):
    assert not placed(function).norms


def test_a_flat_norm_that_stands_alone_is_refused_with_its_line():
    message = r"BatchNorm1d 'flat' at test_points\.py:\d+ follows no linear layer"
    with pytest.raises(UnsupportedOperationError, match=message):
        placed(lambda self, x: self.flat(x.mean((2, 3))))
