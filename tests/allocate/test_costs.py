"""Costs of widths, by hand; and counted again from the plans themselves."""

import pytest

from qat.allocate.costs import LayerFigures, NetworkCosts, latency_table, network_costs
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme, TensorSpec
from tests.allocate.spent import spent_by
from tests.sensitivity.networks import Chain

SAME = Scheme(first_last="same")
LAYERS = (LayerFigures("a", 101, 1000, 8, 8), LayerFigures("b", 200, 500, 32, 32))


def test_costs_by_hand():
    costs = NetworkCosts(LAYERS, latency={"a": {(8, 8): 1.5, (2, 8): 1.0}, "b": {(32, 32): 4.0}})
    assert costs.weight_bytes({}) == 101 + 800
    assert costs.bops({}) == 1000 * 64 + 500 * 1024
    assert costs.average_weight_bits({}) == pytest.approx((101 * 8 + 200 * 32) / 301)
    assert costs.latency_ms({}) == 5.5
    narrow = {("a", "weight"): 2}
    assert costs.weight_bytes(narrow) == 26 + 800  # 25.25 bytes rounded up
    assert costs.bops(narrow) == 1000 * 16 + 500 * 1024
    assert costs.latency_ms(narrow) == 5.0


def test_fp16_counts_sixteen_bits():
    costs = NetworkCosts(LAYERS)
    both = {("b", "weight"): 16, ("b", "act"): 16}
    assert costs.weight_bytes(both) == 101 + 400
    assert costs.bops(both) == 1000 * 64 + 500 * 256


def test_a_latency_table_from_rows():
    row = {"layer": "a", "weight_bits": 8, "act_bits": 4, "latency_ms": 0.25}
    assert latency_table([row, row | {"act_bits": 8}]) == {"a": {(8, 4): 0.25, (8, 8): 0.25}}
    for rows, message in (
        ([row, row], "latency of a at W8A4 is there twice"),
        ([row | {"latency_ms": float("nan")}], "must be a number from 0 on, got nan ms"),
        ([{"layer": "a"}], "lacks 'weight_bits'"),
    ):
        with pytest.raises(ValueError, match=message):
            latency_table(rows)


def test_a_latency_table_of_another_network_is_refused(images):
    net = Chain().eval()
    plan = make_plan(net, SAME, images)
    with pytest.raises(ValueError, match=r"unknown \['conv1'\], missing \['first', 'second'"):
        network_costs(net, plan, images, {"conv1": {(8, 8): 1.0}})


def test_a_pair_that_was_not_measured_is_named():
    costs = NetworkCosts(LAYERS[:1], latency={"a": {(8, 8): 1.5}})
    with pytest.raises(ValueError, match="no W4A8 of layer 'a', only W8A8: measure it"):
        costs.latency_ms({("a", "weight"): 4})
    with pytest.raises(ValueError, match="latency_ms needs a table of the layers' measured times"):
        NetworkCosts(LAYERS).latency_ms({})
    with pytest.raises(ValueError, match="needs the lifetimes of tensors"):
        NetworkCosts(LAYERS).peak_activation_bytes({})


def test_specs_without_integer_codes_have_their_width(images):
    net = Chain().eval()
    plan = make_plan(net, Scheme(weight=TensorSpec(format="fp16"), first_last="same"), images)
    assert spent_by(net, plan, images)["weight_bytes"] == 2 * 224
