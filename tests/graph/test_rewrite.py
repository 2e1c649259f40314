"""What is rewritten in a traced graph: arguments, dropouts, and operations in place."""

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn
from torchvision.ops import StochasticDepth, stochastic_depth

from qat.graph.rewrite import dropouts_as_modules, free_name, without_side_effects
from qat.graph.trace import TraceError, raw_graph, trace


class Function(nn.Module):
    """A convolution and then any function of it and the module."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 1), function

    def forward(self, x):
        return self.function(self, self.conv(x))


def images():
    return torch.randn(2, 3, 6, 6)


# Arguments --------------------------------------------------------------------------------------


class Optional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x, mask=None, features=False, rows=2):
        y = self.conv(x)
        if mask is not None:
            y = y * mask
        return y if features else y.reshape(x.size(0), rows, -1)


def test_arguments_behind_the_image_have_their_defaults():
    net, x = Optional().eval(), images()
    traced = trace(net)
    assert [n.op for n in traced.graph.nodes].count("placeholder") == 1
    assert torch.equal(traced(x), net(x))


def test_starred_arguments_that_are_not_used_are_none_of_the_graph():
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x, *more, key=None, **others):
            return self.conv(x) if key is None else x

    net, x = Around().eval(), images()
    traced = trace(net)
    assert [n.op for n in traced.graph.nodes].count("placeholder") == 1
    assert torch.equal(traced(x), net(x))


# Dropouts ---------------------------------------------------------------------------------------


class Dropping(nn.Module):
    """Of ones, so that it can be seen what is dropped."""

    def __init__(self, drop):
        super().__init__()
        self.drop = drop
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.drop(self, x * self.scale)


DROPOUTS = {
    "by name": (lambda self, x: F.dropout(x, p=0.25, training=self.training), 0.25),
    "by position": (lambda self, x: F.dropout(x, 0.25, self.training), 0.25),
    "by default": (lambda self, x: F.dropout(x, training=self.training), 0.5),
    "in place": (lambda self, x: F.dropout(x, 0.25, self.training, True), 0.25),
    "channels": (lambda self, x: F.dropout2d(x, 0.25, self.training), 0.25),
    "paths": (lambda self, x: stochastic_depth(x, 0.25, "row", self.training), 0.25),
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_a_functional_dropout_drops_in_training_alone(name):
    drop, p = DROPOUTS[name]
    traced = trace(Dropping(drop))
    x = torch.ones(400, 20, 2, 2)
    assert torch.equal(traced.eval()(x), x)
    for _ in range(2):  # it goes back and forth
        dropped = traced.train()(x)
        assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - p)])
        assert (dropped == 0).float().mean() == pytest.approx(p, abs=0.1)
    assert torch.equal(traced.eval()(x), x)


def test_what_drops_whole_channels_or_images_still_does():
    traced = {name: trace(Dropping(DROPOUTS[name][0])).train() for name in ("channels", "paths")}
    x = torch.ones(50, 20, 2, 2)
    channels, paths = traced["channels"](x), traced["paths"](x)
    assert (channels.amin((2, 3)) == channels.amax((2, 3))).all()
    assert (paths.amin((1, 2, 3)) == paths.amax((1, 2, 3))).all()
    assert (channels.amin((1, 2, 3)) != channels.amax((1, 2, 3))).any()


@pytest.mark.parametrize("training", [True, False])
def test_a_dropout_starts_in_the_mode_of_the_module_that_calls_it(training):
    net = nn.Sequential(Dropping(DROPOUTS["by name"][0]), nn.Conv2d(3, 4, 1)).train(not training)
    net[0].train(training)
    (drop,) = [m for m in trace(net).modules() if isinstance(m, nn.Dropout)]
    assert (drop.training, drop.p) == (training, 0.25)


def test_dropouts_do_not_hide_what_is_there():
    net = Function(lambda self, x: F.dropout(F.dropout(x, 0.1, self.training), 0.2, self.training))
    net.dropout = nn.Conv2d(4, 4, 1)
    traced = trace(net)
    drops = [m.p for m in traced.modules() if isinstance(m, nn.Dropout)]
    assert drops == [0.1, 0.2]
    x = images()
    assert torch.equal(traced.eval()(x), net.eval()(x))


def test_a_dropout_of_evaluation_mode_is_refused():
    with pytest.raises(
        TraceError, match=r"dropout at test_rewrite\.py:\d+ drops in evaluation mode"
    ):
        trace(Function(lambda self, x: F.dropout(x, 0.5)))


def test_stochastic_depth_drops_in_training_alone():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)
            self.depth = StochasticDepth(0.5, "row")

        def forward(self, x):
            return x + self.depth(self.conv(x))

    net, x = Deep(), torch.randn(64, 3, 4, 4)
    traced = trace(net)
    kept = (traced.train()(x) != x).flatten(1).any(1)
    assert 10 < kept.sum() < 54
    assert torch.equal(traced.eval()(x), net.eval()(x))


# Operations in place ----------------------------------------------------------------------------

IN_PLACE = {
    "a layer": lambda self, x: self.relu(x) * 2 + x,
    "a function": lambda self, x: F.relu(x, inplace=True) * 2 + x,
    "a function by position": lambda self, x: F.relu(x, True) * 2 + x,
    "a function of its own": lambda self, x: torch.relu_(x) * 2 + x,
    "a method": lambda self, x: x.relu_() * 2 + x,
    "a sum": lambda self, x: x.add_(1.0) * 2 + x,
    "a layer that is called twice": lambda self, x: self.relu(self.relu(x) + 1) * 2 + x,
    "arguments by name": lambda self, x: F.leaky_relu(x, inplace=True, negative_slope=0.3) + x,
    "two in a row": lambda self, x: (self.relu(x), x.add_(1.0))[0] * x,
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_tensor_that_was_changed_in_place_is_read_as_changed(name):
    net = Function(IN_PLACE[name])
    net.relu = nn.ReLU(inplace=True)
    net.eval()
    traced, x = trace(net), images()
    with torch.no_grad():
        assert torch.equal(traced(x), net(x))
    conv = next(node for node in traced.graph.nodes if node.name == "conv")
    assert len(conv.users) == 1  # what changed it


@pytest.mark.parametrize("name", IN_PLACE)
def test_nothing_changes_in_place_any_more(name):
    """Or autograd would refuse it behind a quantizer."""
    net = Function(IN_PLACE[name])
    net.relu = nn.ReLU(inplace=True)
    traced = trace(net)
    traced.conv = nn.Identity()
    x = images()
    before = x.clone()
    traced(x)
    assert torch.equal(x, before)
    assert net.relu.inplace


def test_numbers_are_not_changed_in_place():
    def view(self, x):
        rows = columns = x.size(2)
        columns += 0
        columns *= 1
        return x.view(x.size(0), -1, rows, columns)

    net, x = Function(view).eval(), images()
    assert torch.equal(trace(net)(x), net(x))


def test_what_read_a_tensor_before_keeps_it():
    def before(self, x):
        y = x * 3
        return x.relu_() + y

    net, x = Function(before).eval(), images()
    with torch.no_grad():
        assert torch.equal(trace(net)(x), net(x))


# The rewrites themselves -------------------------------------------------------------------------


def test_a_dropout_becomes_a_layer_under_a_free_name():
    net = Function(lambda self, x: F.dropout(x, 0.1, self.training)).eval()
    net.dropout = nn.Identity()
    graph = raw_graph(net)
    assert list(dropouts_as_modules(net, graph)) == []
    assert net.dropout_.p == 0.1
    assert [str(n.target) for n in graph.nodes if n.op == "call_module"] == ["conv", "dropout_"]


def test_a_method_in_place_becomes_the_method_without_underscore():
    graph = fx.symbolic_trace(lambda x: x.relu_() + x).graph
    without_side_effects(nn.Module(), graph)
    _, relu, add, _ = graph.nodes
    assert (relu.target, add.args) == ("relu", (relu, relu))


def test_a_free_name_has_as_many_underscores_as_it_needs():
    net = nn.Module()
    net.scale = net.scale_ = 1
    assert free_name(net, "scale") == "scale__"
    assert free_name(net, "shift") == "shift"
