"""Batch norm with an activation inside, as timm has it; a stand-in takes the place of timm."""

import sys
from types import ModuleType

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize, to_float
from qat.core.scheme import Scheme
from qat.graph.norm_act import is_norm_act
from qat.graph.trace import check_training, trace


class BatchNormAct2d(nn.BatchNorm2d):
    """With the structure of timm's layer."""

    def __init__(self, channels, act=None, drop=None):
        super().__init__(channels)
        self.drop, self.act = drop or nn.Identity(), act or nn.Identity()

    def forward(self, x):
        return self.act(self.drop(super().forward(x)))


class Derived(BatchNormAct2d):
    pass


@pytest.fixture
def loaded(monkeypatch):
    module = ModuleType("timm.layers.norm_act")
    module.BatchNormAct2d = BatchNormAct2d
    monkeypatch.setitem(sys.modules, module.__name__, module)


class Block(nn.Module):
    """One norm is called once, one twice; one has no activation."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 3), BatchNormAct2d(4, nn.ReLU(inplace=True))
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 1), BatchNormAct2d(4)
        self.bn_act = nn.Identity()  # a name that is taken
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.bn(self.conv(x))
        x = x + self.bn2(self.conv2(x))
        return self.head(x.mean((2, 3)))


def trained(net):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return net.eval()


def test_the_layer_itself_is_recognised_and_only_if_timm_is_loaded(monkeypatch, loaded):
    assert is_norm_act(BatchNormAct2d(2))
    assert not is_norm_act(Derived(2))
    assert not is_norm_act(nn.BatchNorm2d(2))
    monkeypatch.delitem(sys.modules, "timm.layers.norm_act")
    assert not is_norm_act(BatchNormAct2d(2))


def test_the_graph_computes_the_same_and_keeps_the_names_of_parameters(loaded):
    net, x = trained(Block()), torch.randn(2, 3, 6, 6)
    traced = trace(net)
    assert torch.equal(traced(x), net(x))
    assert traced.state_dict().keys() == net.state_dict().keys()
    called = [str(node.target) for node in traced.graph.nodes if node.op == "call_module"]
    assert called == ["conv", "bn", "bn_act_", "conv2", "bn2", "head"]
    assert type(traced.bn) is nn.BatchNorm2d
    assert isinstance(net.bn, BatchNormAct2d)  # the network is not changed
    check_training(net)


def test_a_dropout_inside_stays_before_the_activation(loaded):
    net = nn.Sequential(BatchNormAct2d(3, nn.ReLU(), nn.Dropout2d(0.5)), nn.Conv2d(3, 2, 1))
    traced = trace(net.eval())
    called = [str(node.target) for node in traced.graph.nodes if node.op == "call_module"]
    assert called == ["0", "0_drop", "0_act", "1"]


def test_the_norm_is_folded_in_placement_integer(loaded):
    net, x = trained(Block()), torch.randn(8, 3, 6, 6)
    plan = make_plan(net, Scheme(placement="integer"), x)
    qnet = quantize(net, plan, x)
    calibrate(qnet, [x])
    assert not any(isinstance(module, nn.BatchNorm2d) for module in qnet.modules())
    torch.testing.assert_close(to_float(qnet)(x), net(x), rtol=1e-4, atol=1e-5)
    difference = (qnet(x) - net(x)).pow(2).mean() / net(x).pow(2).mean()
    assert difference < 0.02
