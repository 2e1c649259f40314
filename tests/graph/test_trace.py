"""Graphs mean what the network computes, in evaluation and in training."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import squeezenet1_1
from torchvision.ops import StochasticDepth, stochastic_depth

from qat.graph.trace import TraceError, trace, where


class Function(nn.Module):
    """A convolution and then any function of it and the module."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 1), function

    def forward(self, x):
        return self.function(self, self.conv(x))


def images():
    return torch.randn(2, 3, 6, 6)


def test_a_trace_computes_what_the_network_does(tiny_model, tiny_images):
    traced = trace(tiny_model)
    assert torch.equal(traced(tiny_images), tiny_model(tiny_images))
    assert traced.state_dict().keys() == tiny_model.state_dict().keys()


def test_the_network_is_left_alone(tiny_model, tiny_images):
    traced = trace(tiny_model)
    before = tiny_model(tiny_images)
    with torch.no_grad():
        traced.head.weight.zero_()
    assert torch.equal(tiny_model(tiny_images), before)


@pytest.mark.parametrize("training", [True, False])
def test_every_module_keeps_its_own_training_flag(tiny_model, training):
    tiny_model.train(training)
    tiny_model.norm.eval()
    tiny_model.drop.train(not training)
    flags = {name: module.training for name, module in tiny_model.named_modules()}
    traced = trace(tiny_model)
    assert {name: module.training for name, module in traced.named_modules()} == flags
    assert {name: module.training for name, module in tiny_model.named_modules()} == flags


def test_operations_know_their_line():
    def gated(self, x):
        return x.sigmoid()

    node = next(n for n in trace(Function(gated)).graph.nodes if n.target == "sigmoid")
    assert where(node) == f"test_trace.py:{gated.__code__.co_firstlineno + 1}"


def test_a_condition_on_values_is_refused_with_its_line():
    net = Function(lambda self, x: x if x.sum() > 0 else -x)
    with pytest.raises(TraceError, match=r"Function: .* at test_trace\.py:\d+ \(.*x\.sum\(\) > 0"):
        trace(net)


def test_paths_named_torch_are_not_taken_for_the_library(tmp_path, monkeypatch):
    folder = tmp_path / "torch" / "mine"
    folder.mkdir(parents=True)
    (folder / "net_of_mine.py").write_text("def double(self, x):\n    return x + x\n")
    monkeypatch.syspath_prepend(folder)
    import net_of_mine

    (node,) = [n for n in trace(Function(net_of_mine.double)).graph.nodes if n.name == "add"]
    assert where(node) == "net_of_mine.py:2"


def test_a_library_beside_torch_is_a_place_of_its_own():
    traced = trace(squeezenet1_1())
    node = next(node for node in traced.graph.nodes if node.target is torch.flatten)
    assert where(node).startswith("squeezenet.py:")


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
    with pytest.raises(TraceError, match=r"dropout at test_trace\.py:\d+ drops in evaluation mode"):
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


def test_a_place_unknown_is_said_so():
    node = next(iter(trace(Function(lambda self, x: x)).graph.nodes))
    node.stack_trace = None
    assert where(node) == "an unknown line"
