"""Packed files of methods with thresholds and levels of their own give the same outputs."""

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.export.packed.network import load_packed, save_packed


def net():
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10)
    return nn.Sequential(*layers).eval()


@pytest.mark.parametrize(
    ("weight", "act"),
    [("qil", "qil"), ("n2uq_weight", "n2uq"), ("apot", "apot"), ("lqnets", "lqnets")],
)
def test_the_network_that_is_read_back_computes_the_same(weight, act, tmp_path):
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    scheme = Scheme(
        weight=TensorSpec(bits=3, granularity="channel", quantizer=Method(weight)),
        act=TensorSpec(bits=3, quantizer=Method(act)),
        first_last="same",
    )
    before = net()
    qnet = quantize(before, make_plan(before, scheme, images))
    calibrate(qnet, [images])
    with torch.no_grad():  # thresholds that are no longer those of a uniform grid
        for name, parameter in qnet.named_parameters():
            if name.endswith((".widths", ".centre")):
                parameter.mul_(1.3)
        save_packed(qnet.eval(), tmp_path / "packed")
        after = load_packed(tmp_path / "packed", net()).eval()
        assert torch.equal(after(images), qnet(images))
