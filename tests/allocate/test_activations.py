"""Activations that are alive in each step, counted by hand."""

from qat.allocate.activations import activation_steps
from qat.allocate.costs import network_costs
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme
from tests.sensitivity.networks import Chain, Residual

SAME = Scheme(first_last="same")


def test_a_chains_activations_by_hand(images):
    net = Chain().eval()
    plan = make_plan(net, SAME, images)
    steps = activation_steps(net, plan, images)
    found = [(step.name, step.fixed_bits, dict(step.elements)) for step in steps]
    assert found == [
        ("input", 0, {"first": 32}),
        ("first", 0, {"first": 32, "second": 128}),  # with its ReLU: one tensor
        ("pool", 0, {"second": 128 + 32}),
        ("second", 0, {"second": 32, "head": 16}),
        ("head", 3 * 32, {"head": 16}),  # the logits stay float
    ]
    costs = network_costs(net, plan, images, steps=steps)
    assert costs.peak_activation_bytes({}) == 160
    assert costs.peak_activation_bytes({("second", "act"): 4}) == 32 + 64


def test_a_shortcuts_activations_by_hand(images):
    net = Residual().eval()
    plan = make_plan(net, SAME, images)
    steps = {step.name: step for step in activation_steps(net, plan, images)}
    assert list(steps) == ["input", "stem", "left", "right", "add", "mean", "head"]
    assert (steps["stem"].fixed_bits, steps["stem"].elements) == (0, {"stem": 32, "left": 64})
    assert (steps["left"].fixed_bits, steps["left"].elements) == (64 * 32, {"left": 64})
    # while the right convolution runs: its input, its output, and that of the left one
    assert (steps["right"].fixed_bits, steps["right"].elements) == (128 * 32, {"left": 64})
    assert (steps["add"].fixed_bits, steps["add"].elements) == (3 * 64 * 32, {})
    assert (steps["mean"].fixed_bits, steps["mean"].elements) == (64 * 32, {"head": 4})
