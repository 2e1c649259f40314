"""Which slots share a tensor, and plans that respect it."""

import pytest
import torch
from torch import nn

from qat.allocate.activations import activation_steps
from qat.allocate.assign import apply_bits
from qat.allocate.costs import network_costs
from qat.allocate.problem import make_problem
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme
from qat.graph.trace import TraceError
from qat.models.build import build_model
from qat.sensitivity.groups import add_ties, sharing_groups, tensors_read
from qat.sensitivity.measure import sensitivities
from tests.sensitivity.networks import Residual
from tests.sensitivity.test_prefix import ByValue

INTEGER = Scheme(placement="integer")
BOTH = (("left", "act"), ("right", "act"))


@pytest.fixture
def net():
    return Residual().eval()


def test_an_activation_that_feeds_two_convolutions(net, images):
    academic, integer = (make_plan(net, scheme, images) for scheme in (Scheme(), INTEGER))
    assert sharing_groups(net, academic) == []  # each rounds for itself
    assert sharing_groups(net, academic, inputs=True) == [BOTH]
    assert sharing_groups(net, integer) == [BOTH]


def test_both_sides_of_an_addition_that_layers_read(images):
    class Sides(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c, self.d = (nn.Conv2d(2, 2, 1) for _ in range(4))

        def forward(self, x):
            y, z = self.a(x), self.b(x)
            return (self.c(y) + self.d(z)) + (y + z)

    own = Sides().eval()
    plan = make_plan(own, Scheme(first_last="same"), images)
    groups = sharing_groups(own, plan, inputs=False, adds=True)
    assert groups == [(("c", "act"), ("d", "act"))]
    ties = add_ties(own)
    pairs = {"a": "a", "b": "a", "c": "c", "d": "c", "add": "add", "add:2": "add"}
    assert ties == pairs


def test_a_side_that_no_layer_reads_takes_the_width_of_the_other():
    resnet = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=8).eval()
    example = torch.randn(2, 3, 8, 8)
    plan = make_plan(resnet, INTEGER, example)
    reads, ties = tensors_read(resnet), add_ties(resnet)
    assert ties["layer1.0.conv2"] == ties["conv1"] == "conv1"
    bits = {("layer1.0.conv1", "act"): 4}  # reads what conv1 makes, and so does the addition
    chosen = apply_bits(plan, bits, reads, ties)
    assert chosen.tensors["conv1"].spec.bits == chosen.tensors["layer1.0.conv2"].spec.bits == 4
    assert apply_bits(plan, bits, reads).tensors["layer1.0.conv2"].spec.bits == 8
    alive = {}
    for own in (None, ties):
        steps = activation_steps(resnet, plan, example, own)
        alive[own is None] = next(step for step in steps if step.name == "layer1.0.conv2")
    sizes = 16 * 8 * 8
    assert alive[True].fixed_bits == 8 * sizes  # its own output
    assert alive[False].fixed_bits == 0
    assert alive[False].elements["layer1.0.conv1"] == alive[True].elements["layer1.0.conv1"] + sizes


def test_what_cannot_be_traced_names_the_line_only_where_it_matters():
    net = nn.Sequential(ByValue(), nn.ReLU(), nn.Linear(5, 2)).eval()
    example = torch.randn(2, 3, 8, 8)
    plan = make_plan(net, Scheme(first_last="same"), example)
    assert sharing_groups(net, plan) == []
    for plan_the_graph in (
        lambda: sharing_groups(net, plan, inputs=True),
        lambda: activation_steps(net, plan, example),
    ):
        with pytest.raises(TraceError, match=r"test_prefix.py:\d+ .return self.head"):
            plan_the_graph()


def test_integer_sensitivity_lists_a_shared_tensor_once(net, images, monkeypatch):
    plan = make_plan(net, INTEGER, images)
    batches = [(images, torch.arange(8) % 3)]
    table = sensitivities(net, plan, batches, ["output_kl"], [2, 4])["output_kl"]
    monkeypatch.setattr("qat.sensitivity.measure.fit_quantizers", pytest.fail)
    done = {"output_kl": table.rows}  # and finds it complete
    assert sensitivities(net, plan, batches, ["output_kl"], [2, 4], done=done)["output_kl"] == table
    acts = {row.layer for row in table.rows if row.slot == "act"}
    assert acts == {"stem", "left", "head"}
    costs = network_costs(net, plan, images, steps=activation_steps(net, plan, images))
    problem = make_problem(table.harms(), plan, costs, groups=sharing_groups(net, plan))
    shared = next(v for v in problem.variables if v.slots == BOTH)
    assert shared.harms == table.harms()["left", "act"]


def test_a_norm_that_stands_alone_decides_nothing(images):
    own = nn.Sequential(
        nn.Conv2d(2, 4, 1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(4),
        nn.Flatten(),
        nn.Linear(16, 3),
    ).eval()
    plan = make_plan(own, INTEGER, images)
    assert plan.layers["3"].kind == "BatchNorm2d"
    batches = [(images, torch.arange(8) % 3)]
    table = sensitivities(own, plan, batches, ["output_kl"], [4])["output_kl"]
    assert [(r.layer, r.slot) for r in table.rows] == [
        ("0", "weight"), ("0", "act"), ("5", "weight"), ("5", "act"),
    ]  # fmt: skip
    bits = {("0", "act"): 4, ("5", "weight"): 4, ("5", "act"): 2}
    chosen = apply_bits(plan, bits, tensors_read(own))
    assert {name: t.spec.bits for name, t in chosen.tensors.items()} == {
        "input": 4, "0": 8, "3": 2, "5": 8,
    }  # fmt: skip
