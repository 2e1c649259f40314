"""Packed weights: equal outputs, two unpacked layers at most, and really beside the computation."""

from threading import Event, current_thread, main_thread

import pytest
import torch
from torch import nn

from qat.graph.trace import trace
from qat.memory.prefetch import PrefetchExecutor
from tests.memory.networks import FLOAT


class Three(nn.Module):
    """Linear layers of 12, 8 and 6 weights, two of them called twice."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(2, 3)

    def forward(self, x):
        return self.three(self.two(self.one(x).relu()) + self.two(self.one(x)))


LAYERS = ("one", "two", "three")
CALLS = ["one", "two", "one", "two", "three"]


class Halves:
    """Weights that are kept as float16, which the network's own are made to be."""

    def __init__(self, net):
        self.calls, self.threads = [], set()
        for name in LAYERS:
            weight = net.get_submodule(name).weight
            weight.data = weight.data.half().float()
        self.packed = {n: net.get_submodule(n).weight.detach().half().flatten() for n in LAYERS}

    def unpack(self, name, buffer):
        self.calls.append(name)
        self.threads.add(current_thread())
        buffer.copy_(self.packed[name])


@pytest.mark.parametrize("ahead", [True, False])
def test_outputs_are_equal_and_few_are_unpacked(ahead):
    net, x = Three().eval(), torch.randn(5, 3)
    packed = Halves(net)
    executor = PrefetchExecutor(trace(net), LAYERS, packed.unpack, ahead)
    result = executor.run(x)
    assert torch.equal(result.output, net(x))
    assert sorted(packed.calls) == sorted(CALLS)
    assert result.most_unpacked == (2 if ahead else 1)
    assert result.seconds >= result.wait_seconds > 0
    assert main_thread() not in packed.threads
    assert torch.equal(executor.run(x).output, net(x))  # as often as one likes


@pytest.mark.parametrize(
    ("ahead", "buffers", "peak"),
    [
        # Weights 12, 12 and 6: the first and third take turns in one, the second has the other.
        pytest.param(True, (12 + 12) * FLOAT, (12 + 12) * FLOAT, id="two buffers"),
        pytest.param(False, 12 * FLOAT, 12 * FLOAT, id="one buffer"),
    ],
)
def test_bytes_by_hand(ahead, buffers, peak):
    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.three = nn.Linear(3, 4), nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, x):
            return self.three(self.two(self.one(x)))

    net = Chain().eval()
    packed = Halves(net)
    result = PrefetchExecutor(trace(net), LAYERS, packed.unpack, ahead).run(torch.randn(1, 3))
    assert (result.buffer_bytes, result.peak_unpacked_bytes) == (buffers, peak)


def test_the_copy_holds_no_weights():
    net = Three().eval()
    executor = PrefetchExecutor(trace(net), LAYERS, lambda name, buffer: None)
    assert all(executor.module.get_submodule(name).weight.numel() == 0 for name in LAYERS)
    assert executor.module.get_submodule("one").bias.numel() == 4
    assert net.one.weight.numel() == 12


def test_the_next_layer_is_unpacked_while_one_computes():
    """The first layer only ends once the second's weight is there: in turns it never would."""
    there = Event()

    class Waits(nn.Linear):
        quantized_leaf = "linear"  # called as one layer, not traced through

        def forward(self, x):
            assert there.wait(20)
            return super().forward(x)

    net = nn.Sequential(Waits(3, 3), nn.Linear(3, 3)).eval()
    packed = {name: layer.weight.detach().flatten() for name, layer in net.named_children()}

    def unpack(name, buffer):
        buffer.copy_(packed[name])
        if name == "1":
            there.set()

    result = PrefetchExecutor(trace(net), ["0", "1"], unpack).run(torch.randn(2, 3))
    assert result.output.shape == (2, 3)
    assert there.is_set()


def test_an_error_of_unpacking_is_raised():
    def unpack(name, buffer):
        raise ValueError(f"{name} is damaged")

    with pytest.raises(ValueError, match="one is damaged"):
        PrefetchExecutor(trace(Three().eval()), LAYERS, unpack).run(torch.randn(1, 3))


def test_layers_that_are_not_called_are_refused():
    with pytest.raises(KeyError, match=r"no layers \['four'\]; it calls"):
        PrefetchExecutor(trace(Three().eval()), ["four"], lambda name, buffer: None)
    net = trace(nn.Sequential(nn.ReLU()).eval())
    with pytest.raises(KeyError, match="has no weight"):
        PrefetchExecutor(net, ["0"], lambda name, buffer: None)
