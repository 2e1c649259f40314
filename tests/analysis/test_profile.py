"""The profile of a network, by hand."""

import pytest
import torch
from torch import nn

from qat.analysis.profile import profile
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Rule, Scheme, TensorSpec


def test_widths_costs_and_errors_of_each_layer():
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 5))
    images = torch.randn(4, 3, 2, 2)
    rules = (Rule("3", keep_float=True),)
    scheme = Scheme(TensorSpec(bits=3), TensorSpec(bits=5), "same", rules=rules)
    qnet = quantize(net, make_plan(net, scheme, images))
    calibrate(qnet, [images])
    conv, linear = profile(qnet.eval(), images)

    assert (conv.name, conv.weight_bits, conv.act_bits) == ("0", 3, 5)
    assert (conv.macs, conv.bops) == (4 * 8 * 3, 4 * 8 * 3 * 3 * 5)
    assert conv.weight_bytes == 8 * 3 * 3 // 8
    error = net[0](images) - qnet[0](images)
    db = 10 * torch.log10(net[0](images).square().sum() / error.square().sum())
    assert conv.output_sqnr_db == pytest.approx(db.item(), rel=1e-4)

    assert (linear.name, linear.weight_bits, linear.act_bits) == ("3", 32, 32)
    assert (linear.macs, linear.weight_bytes) == (32 * 5, 32 * 5 * 4)
    assert linear.weight_sqnr_db is linear.act_sqnr_db is linear.output_sqnr_db is None
