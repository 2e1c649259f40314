"""What a network has, in the terms in which files name it."""

import pytest
from torch import nn

from qat.base.errors import InputError
from qat.export.imported.network import call_key, imported_network
from tests.export.imported_files import images, small


def test_tensors_have_the_names_of_their_operations():
    network = imported_network(small(), images(), "integer")
    assert network.points == {
        "input": ("input",),
        "stem": ("stem", "relu"),
        "body": ("body",),
        "add": ("add",),
        "mean": ("mean",),
        "head": ("head",),
    }
    assert network.point_of(["nothing", "relu"]) == "stem"
    assert network.point_of(["nothing"]) is None
    assert network.sources == {"stem": "input", "body": "stem", "head": "mean"}
    assert network.calls[call_key("add", ["body", "stem"])] == ["add"]
    assert network.calls[call_key("mean", ["add"])] == ["mean"]
    assert network.outputs("head") == 5


def test_all_averages_are_one_kind():
    assert call_key("avg_pool", ["x"]) == call_key("mean", ["x"]) == ("pool", "x")


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def forward(self, x):
        return self.fc(x) if x.sum() > 0 else x


def test_only_placement_integer_needs_a_trace():
    x = images(2)[:, 0, 0, :2].abs()
    network = imported_network(Branching(), x, "academic")
    assert (list(network.plan.layers), network.points) == (["fc"], {})
    with pytest.raises(InputError):
        imported_network(Branching(), x, "integer")
