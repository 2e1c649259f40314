"""Graphs mean what the network computes, in evaluation and in training."""

import pytest
import torch
from torch import nn
from torchvision.models import squeezenet1_1

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


def test_a_place_unknown_is_said_so():
    node = next(iter(trace(Function(lambda self, x: x)).graph.nodes))
    node.stack_trace = None
    assert where(node) == "an unknown line"
