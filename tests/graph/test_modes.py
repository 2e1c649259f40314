"""What evaluation mode hides: layers held in it, and what is computed in training alone."""

import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn
from torchvision.ops import StochasticDepth

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.graph.modes import TracedNetwork, first_difference, mark_held_layers
from qat.graph.trace import TraceError, check_training, trace
from tests.export.integer_networks import images, scheme


class Net(nn.Module):
    """A convolution, its norm, and a function of the network and what they give."""

    def __init__(self, function=lambda self, x: x, **layers):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Linear(4, 2)
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.fc(self.function(self, self.norm(self.conv(x)).relu()).mean((2, 3)))


class Frozen(Net):
    """Detection code's habit."""

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        return self


class DropPath(nn.Module):
    """As most networks of the kind write it; always drops, so that it shows."""

    def forward(self, x):
        if not self.training:
            return x
        return x * torch.zeros(x.shape[0], 1, 1, 1)


def integer(net, **more):
    return quantize(net, make_plan(net.eval(), scheme(), images()), keep_norms=True, **more)


def test_a_norm_held_in_evaluation_keeps_its_statistics_in_training():
    for net, moves in ((Net(), True), (Frozen(), False)):
        qnet = integer(net)
        calibrate(qnet, [images()])
        for own in (qnet, pickle.loads(pickle.dumps(qnet))):
            own.train()
            norm = own.conv.norm
            before = norm.running_mean.clone()
            own(images())
            assert norm.training is moves
            assert torch.equal(before, norm.running_mean) is not moves


def test_a_layer_that_drops_in_training_alone_stays_a_layer():
    qnet = integer(Net(lambda self, x: self.drop(x), drop=DropPath()))
    calibrate(qnet, [images()])
    bias = qnet.fc.bias
    with torch.no_grad():
        assert not torch.allclose(qnet.eval()(images()), bias.expand(4, 2), atol=1e-2)
        torch.testing.assert_close(qnet.train()(images()), bias.expand(4, 2), rtol=0, atol=2e-2)


SAME = [
    lambda self, x: F.dropout(x, 0.5, self.training),
    lambda self, x: self.layer(x),
    lambda self, x: self.depth(x),
    lambda self, x: self.drop(x) + x,
]
OTHER = {
    "mul": lambda self, x: x * 2 if self.training else x * 3,
    "relu": lambda self, x: x.relu() if self.training else x,
    "rand": lambda self, x: x + torch.rand(x.shape[0], 4, 8, 8) if self.training else x,
    "batch_norm": lambda self, x: F.batch_norm(
        x, torch.ones(4), torch.ones(4), None, None, self.training
    ),
    "cannot trace": lambda self, x: x if not self.training or x.sum() > 0 else -x,
}


@pytest.mark.parametrize("function", SAME)
def test_dropouts_are_no_difference(function):
    layers = {"layer": nn.Dropout(), "depth": StochasticDepth(0.5, "row"), "drop": DropPath()}
    check_training(Net(function, **layers))


@pytest.mark.parametrize("named", OTHER)
def test_what_training_alone_computes_is_named_with_its_line(named):
    line = OTHER[named].__code__.co_firstlineno
    with pytest.raises(TraceError, match=rf"{named}.* at test_modes\.py:{line}"):
        check_training(Net(OTHER[named]))


def test_a_network_that_is_not_trained_may_differ():
    net = Net(OTHER["relu"]).eval()
    quantize(net, make_plan(net, scheme(), images()))
    with pytest.raises(TraceError, match="computes something else in training"):
        integer(net)


def test_training_flags_are_the_users():
    net = Frozen().train()
    check_training(net)
    trace(net)
    assert [net.training, net.conv.training, net.norm.training] == [True, True, False]


def test_a_layer_that_train_leaves_in_evaluation_mode_is_held():
    net = Frozen().eval()
    mark_held_layers(net)
    assert not any(module.training for module in net.modules())
    traced = TracedNetwork(net, fx.Tracer().trace(net)).train()
    assert [traced.conv.training, traced.norm.training] == [True, False]


@pytest.mark.parametrize(
    ("training", "differs"),
    [
        (lambda x: F.dropout(x, 0.9, True).relu(), None),
        (lambda x: F.dropout(x, 0.1, False).tanh(), "tanh"),
        (lambda x: F.dropout(x, 0.1, False).relu().tanh(), "tanh"),
    ],
)
def test_the_first_difference_of_two_graphs(training, differs):
    evaluation = fx.symbolic_trace(lambda x: F.dropout(x, 0.1, False).relu()).graph
    node = first_difference(evaluation, fx.symbolic_trace(training).graph)
    assert (None if node is None else node.target) == differs
