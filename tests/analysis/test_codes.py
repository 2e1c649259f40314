"""Codes counted, against numpy and by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.analysis.codes import count_codes, layer_codes, worst_layers
from qat.analysis.layers import LayerSQNR
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.layout import Layout
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.quantizers.registry import make_quantizer


def quantizer(bits, name="minmax", **settings):
    settings = {"signed": True, "symmetric": True} | settings
    spec = TensorSpec(bits=bits, quantizer=Method(name), **settings)
    return make_quantizer(spec, Layout())


def test_each_code_of_the_grid_has_its_count_by_hand():
    made = quantizer(3)
    made.set_qparams(torch.ones(1), torch.zeros(1))
    made._set_ready()
    x = torch.tensor([-9.0, -4.0, -0.4, 0.0, 0.4, 1.6, 2.0, 2.0, 9.0])
    codes = count_codes(x, made)
    assert codes.first == made.grid.qmin
    by_hand = np.bincount(
        np.clip(np.round(x.numpy()), made.grid.qmin, made.grid.qmax).astype(int) - made.grid.qmin,
        minlength=made.grid.levels,
    )
    assert codes.counts.tolist() == by_hand.tolist()
    assert codes.counts[-made.grid.qmin] == 3  # code 0
    assert codes.before.sum() == 9  # what lies far outside is counted at the end


def test_a_wide_grid_has_several_codes_in_a_bar():
    made = quantizer(10)
    made.set_qparams(torch.ones(1), torch.zeros(1))
    made._set_ready()
    codes = count_codes(torch.arange(-512.0, 512.0), made)
    assert codes.codes_a_bar == 4
    assert codes.counts.sum() == 1024
    assert len(codes.counts) == 256


def test_a_dynamic_range_is_that_of_the_tensor():
    made = quantizer(2, "dynamic", signed=False, symmetric=False)
    assert count_codes(torch.tensor([0.0, 1.0, 2.0, 3.0]), made).counts.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_weights_and_inputs_of_layers_are_counted(tiny_images, placement):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3)).eval()
    plan = make_plan(net, Scheme(placement=placement), tiny_images)
    qnet = quantize(net, plan)
    calibrate(qnet, [tiny_images])
    found = layer_codes(qnet, ["0", "2"], tiny_images)
    assert list(found) == ["0", "2"]
    assert found["2"]["weights"].counts.sum() == 5 * 4 * 3 * 3
    assert found["0"]["inputs"].counts.sum() == 16 * 3 * 8 * 8
    assert found["2"]["inputs"].counts.sum() == 16 * 4 * 6 * 6


def test_the_layers_that_lost_most_are_taken_in_their_order():
    rows = [
        LayerSQNR("a", 10.0, None, 0.0),
        LayerSQNR("b", 40.0, 40.0, 0.0),
        LayerSQNR("c", 30.0, 5.0, 0.0),
    ]
    assert worst_layers(rows, 2) == ["a", "c"]


def test_codes_that_do_not_ascend_are_counted_in_the_order_of_their_values():
    made = make_quantizer(TensorSpec(format="fp4_e2m1", signed=True), Layout()).eval()
    made.set_range(-6.0, 6.0)
    codes = count_codes(torch.tensor([-9.0, -0.5, 0.1, 0.5, 2.5, 2.6, 6.0]), made)
    # -6 -4 -3 -2 -1.5 -1 -.5 0 .5 1 1.5 2 3 4 6; the tie 2.5 takes the even mantissa of 2
    assert codes.counts.tolist() == [1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1]


def test_thresholds_need_not_be_in_the_middle():
    spec = TensorSpec(bits=2, signed=True, quantizer=Method("ternary"))
    made, x = make_quantizer(spec, Layout()), torch.tensor([[0.4, 1.0, 0.35]])
    made(x)  # the threshold is 0.408, half of the level 0.5
    assert count_codes(x, made.eval()).counts.tolist() == [0, 2, 1]


def test_blocks_have_no_common_axis_of_codes(tiny_images):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3)).eval()
    mx = TensorSpec(format="mxfp4_e2m1")
    qnet = quantize(net, make_plan(net, Scheme(mx, mx), tiny_images))
    calibrate(qnet, [tiny_images])
    assert layer_codes(qnet, ["0", "2"], tiny_images).keys() == {"0", "2"}  # both ends have 8 bits
    qnet = quantize(net, make_plan(net, Scheme(mx, mx, first_last="same"), tiny_images))
    assert layer_codes(qnet, ["0"], tiny_images) == {}
