"""Weights that are used without their layer are found, and so are layers that nobody calls."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.going_around import GoneAroundError
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Rule, Scheme, TensorSpec

IMAGES = torch.randn(4, 3, 4, 4)


def scheme(*rules):
    return Scheme(TensorSpec(bits=8), TensorSpec(bits=8), rules=rules)


class Tied(nn.Module):
    """The second use of ``fc`` goes around it."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 5, 1), nn.Linear(5, 5)

    def forward(self, x):
        x = self.fc(self.conv(x).mean((2, 3)))
        return F.linear(x, self.fc.weight)


class OneWeight(nn.Module):
    """Two layers of one weight; a third that is called twice shares nothing."""

    def __init__(self):
        super().__init__()
        self.conv, self.again = nn.Conv2d(3, 5, 1), nn.Linear(5, 5)
        self.first, self.second = nn.Linear(5, 5), nn.Linear(5, 5)
        self.second.weight = self.first.weight

    def forward(self, x):
        x = self.again(self.again(self.conv(x).relu().mean((2, 3))).relu()).relu()
        return self.second(self.first(x).relu())


class Other(nn.Module):
    """Which layer is called, the images decide."""

    def __init__(self):
        super().__init__()
        self.conv, self.other = nn.Conv2d(3, 5, 1), nn.Conv2d(3, 5, 1)

    def forward(self, x):
        layer = self.conv if x.sum() > 0 else self.other
        return layer(x).mean((2, 3))


def test_a_weight_used_without_its_planned_layer_is_refused_by_line():
    message = r"'fc' is planned, and test_going_around\.py:\d+ multiplies its weight .*keep_float"
    with pytest.raises(GoneAroundError, match=message):
        make_plan(Tied().eval(), scheme(), IMAGES)


def test_its_cure_is_accepted():
    plan = make_plan(Tied().eval(), scheme(Rule("fc", keep_float=True)), IMAGES)
    assert list(plan.layers) == ["conv"]


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_layers_of_one_weight_are_refused_by_name_until_each_has_its_own(placement):
    net = OneWeight()
    asked = Scheme(TensorSpec(bits=8), TensorSpec(bits=8), placement=placement)
    with pytest.raises(GoneAroundError, match="layers 'first' and 'second' share one weight"):
        make_plan(net, asked, IMAGES)
    net.second.weight = nn.Parameter(net.first.weight.detach().clone())
    assert {"again", "first", "second"} <= set(make_plan(net, asked, IMAGES).layers)


def test_a_planned_layer_that_calibration_never_calls_is_refused_by_name():
    net = Other().eval()
    qnet = quantize(net, make_plan(net, scheme(), IMAGES.abs()))
    with pytest.raises(GoneAroundError, match=r"planned layers were never called \(conv\)"):
        calibrate(qnet, [-IMAGES.abs()])


def test_torchs_encoder_calls_its_quantized_layers():
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
    net = nn.Sequential(nn.Flatten(2), nn.Linear(16, 8), nn.TransformerEncoder(layer, 1)).eval()
    qnet = quantize(net, make_plan(net, scheme(), IMAGES))
    calibrate(qnet, [IMAGES])
    called = []
    qnet[2].layers[0].linear1.register_forward_hook(lambda *_: called.append(True))
    from qat.training.evaluate import predict_logits

    class Logits(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = qnet

        def forward(self, x):
            return self.net(x).mean(1)

    predict_logits(Logits(), [(IMAGES, torch.zeros(4, dtype=torch.long))], torch.device("cpu"))
    assert called
    assert torch.backends.mha.get_fastpath_enabled()
