"""Rules that mean all layers of one kind."""

import pytest
import torch
from torch import Tensor, nn

from qat.convert.kinds import layer_kinds
from qat.convert.rules import make_plan
from qat.core.scheme import Rule, Scheme, TensorSpec

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
FLOAT = {"weight": TensorSpec(bits=32), "act": TensorSpec(bits=32), "first_last": "same"}


class Net(nn.Module):
    """Each kind, by hand; ``gated`` reads a product of which one factor is a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.depth = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.wide = nn.Conv2d(4, 8, 1)
        self.gated = nn.Conv2d(8, 8, 1, groups=2)
        self.hidden = nn.Linear(8, 6)
        self.head = nn.Linear(6, 2)
        self.act, self.relu = nn.Hardswish(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Hardswish in front of ``depth``, ReLU in front of ``wide``."""
        x = self.relu(self.depth(self.act(self.stem(x))))
        x = self.wide(x)
        x = self.gated(x * torch.sigmoid(x))
        x = nn.functional.silu(x).mean([2, 3]).flatten(1)
        return self.head(self.relu(self.hidden(x)))


BY_HAND = {
    "first": {"stem"},
    "last": {"head"},
    "conv": {"wide", "gated"},
    "depthwise": {"depth"},
    "linear": {"hidden", "head"},
    "complex": {"depth", "gated", "hidden"},
}


@pytest.mark.parametrize("kind", sorted(BY_HAND))
def test_a_rule_of_a_kind_takes_its_layers_and_no_other(kind):
    rule = Rule(f"kind:{kind}", weight={"bits": 4}, act={"bits": 4})
    plan = make_plan(Net().eval(), Scheme(**FLOAT, rules=(rule,)), IMAGES)
    assert set(plan.layers) == BY_HAND[kind]


def test_globs_and_kinds_go_together_later_ones_win():
    rules = (
        Rule("kind:linear", weight={"bits": 4}),
        Rule("head", weight={"bits": 2}),
        Rule("kind:depthwise", weight={"format": "fp16"}),
    )
    plan = make_plan(Net().eval(), Scheme(**FLOAT, rules=rules), IMAGES)
    found = {name: layer.weight.stored_bits for name, layer in plan.layers.items()}
    assert found == {"depth": 16, "hidden": 4, "head": 2}


def test_an_unknown_kind_and_one_that_is_not_there_are_told():
    def planned(match, net):
        rule = Rule(match, weight={"bits": 4})
        return make_plan(net, Scheme(**FLOAT, rules=(rule,)), IMAGES)

    with pytest.raises(ValueError, match=r"no kind 'deep', only first, last, conv, depthwise"):
        planned("kind:deep", Net().eval())
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2)).eval()
    with pytest.raises(KeyError, match=r"rule 'kind:depthwise' matches no layer"):
        planned("kind:depthwise", plain)


def test_kinds_are_of_layers_not_of_an_integer_networks_tensors():
    scheme = Scheme(placement="integer", rules=(Rule("kind:first", weight={"bits": 4}),))
    with pytest.raises(ValueError, match=r"give a name pattern, or use scheme.placement="):
        make_plan(Net().eval(), scheme, IMAGES)


def test_only_complex_needs_the_graph():
    class Branches(Net):
        """Decides by the values of a tensor: cannot be traced."""

        def forward(self, x: Tensor) -> Tensor:
            """As ever, where the image is bright enough."""
            return super().forward(x if x.sum() > -1e9 else -x)

    net = Branches().eval()
    names = ["stem", "depth", "wide", "gated", "hidden", "head"]
    assert layer_kinds(net, names, ["kind:conv"])["gated"] == {"conv"}
    with pytest.raises(ValueError, match=r"test_kinds\.py"):
        layer_kinds(net, names, ["kind:complex"])
