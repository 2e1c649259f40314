"""Runs inside the arena: equal bit for bit, codes at a plan's widths, workspace by hand."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import googlenet, mobilenet_v2, mobilenet_v3_small, shufflenet_v2_x0_5

from qat.memory.execute import ArenaExecutor
from qat.memory.read import read_memory
from qat.memory.strategies import IN_PLACE, SCHEDULED, STRATEGIES, Strategy, plan_memory
from tests.memory.networks import FLOAT, Branches, Chain, Residual


def with_statistics(net):
    """Batch norms that do something."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return net.eval()


def executed(net, images, strategy):
    traced = read_memory(net, images.shape)
    return ArenaExecutor(traced, plan_memory(traced.graph, strategy)).run(images)


def ordinary(net, images):
    with torch.no_grad():
        return net(images)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
@pytest.mark.parametrize("make", [Chain, Residual, Branches])
def test_toys_are_equal_bit_for_bit(make, strategy):
    net, images = make().eval(), torch.randn(3, 1, 4, 4)
    assert torch.equal(executed(net, images, strategy).output, ordinary(net, images))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_a_network_of_every_layer_is_equal(tiny_model, tiny_images, strategy):
    result = executed(tiny_model, tiny_images, strategy)
    assert torch.equal(result.output, ordinary(tiny_model, tiny_images))


# Inverted residuals; hard swish and gates; branches; views of halves, permuted.
@pytest.mark.parametrize(
    "make",
    [
        mobilenet_v2,
        mobilenet_v3_small,
        pytest.param(
            lambda: googlenet(aux_logits=False, init_weights=False), marks=pytest.mark.slow
        ),
        shufflenet_v2_x0_5,
    ],
)
def test_torchvision_is_equal(make):
    net, images = with_statistics(make()), torch.randn(2, 3, 64, 64)
    assert torch.equal(executed(net, images, SCHEDULED).output, ordinary(net, images))


class Kinds(nn.Module):
    """Every kernel that writes into a given tensor."""

    def forward(self, x):
        y = nn.functional.relu6(4 * x) + nn.functional.silu(x) * x.sigmoid()
        z = nn.functional.hardswish(y) * torch.tanh(x) + nn.functional.hardsigmoid(y)
        return torch.cat((z, y.relu()), dim=1)


def test_kernels_that_write_in_place_have_the_ordinary_bits():
    images = 3 * torch.randn(2, 3, 5, 7)
    images[0, 0, 0] = torch.tensor([0.0, -0.0, float("nan"), float("inf"), -float("inf"), 6, 1e30])
    got, want = executed(Kinds(), images, IN_PLACE), ordinary(Kinds(), images)
    assert torch.equal(got.output.view(torch.int32), want.view(torch.int32))
    assert set(got.workspace) == {"mul"}  # by a number: no kernel that is told where to write


class Sigmoid(nn.Module):
    """Somebody's own, which is not torch's."""

    quantized_leaf = "sigmoid"  # called as one layer, not traced through

    def forward(self, x):
        return x.sigmoid() + 1


class Plain(nn.Module):
    """Norms without a part of what they mostly have, and a concatenation along no named axis."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3, affine=False)
        self.of_batch = nn.BatchNorm2d(3, track_running_stats=False)
        self.own = Sigmoid()

    def forward(self, x):
        return torch.cat((self.norm(x), self.of_batch(self.own(x))))


def test_what_is_left_out_takes_its_default():
    images = torch.randn(2, 3, 4, 4)
    net = Plain().eval()
    net.norm.running_var.uniform_(0.5, 2)
    assert torch.equal(executed(net, images, IN_PLACE).output, ordinary(net, images))


def test_workspace_by_hand():
    result = executed(Chain().eval(), torch.randn(1, 1, 4, 4), IN_PLACE)
    assert result.workspace == {"conv": 32 * FLOAT, "pool": 8 * FLOAT, "fc": 3 * FLOAT}
    assert result.workspace_bytes == 32 * FLOAT


class Halves:
    """Stores numbers ``code / 2`` as 8-bit codes, -64 to 63.5."""

    def __init__(self):
        self.names = []

    def encode(self, name, value):
        self.names.append(name)
        return (value.flatten() * 2).to(torch.int8).view(torch.uint8)

    def decode(self, name, codes, elements):
        assert codes.numel() == elements
        return codes.view(torch.int8) / 2


class Rounds(nn.Module):
    """What a quantizer does between layers: every tensor that is stored is a multiple of 1/2."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x):
        y = torch.round(self.conv(x) * 2) / 2
        return torch.flatten(y + y.relu(), 1).mean(dim=1)


CHAIN = [("conv", "mul", "round_1", "truediv")]
WIDTHS = {"x": 8, "truediv": 8, "relu": 8, "add": 8}


def coded(codec):
    net, images = Rounds().eval(), torch.randint(-8, 8, (2, 1, 4, 4)) / 2
    traced = read_memory(net, images.shape, chains=CHAIN)
    plan = plan_memory(traced.graph, replace(SCHEDULED, widths=True), WIDTHS)
    return ArenaExecutor(traced, plan, codec), ordinary(net, images), images


def test_tensors_lie_as_codes_at_their_widths():
    codec = Halves()
    executor, want, images = coded(codec)
    result = executor.run(images)
    assert torch.equal(result.output, want)
    assert codec.names == ["x", "truediv", "relu", "add"]
    # The convolution's output (2 images x 2 channels x 16, a byte each) beside the ReLU's or the
    # image's codes; the add writes over one of its inputs.
    assert result.arena_bytes == 64 + 64
    # Decoded image 128, four values of the chain 4 x 256, the codes 64.
    assert result.workspace["truediv"] == 32 * FLOAT + 4 * 64 * FLOAT + 64


def test_narrow_tensors_need_a_codec():
    with pytest.raises(ValueError, match="x is not stored in 32 bits: give a codec"):
        coded(None)


def test_another_batch_is_refused():
    traced = read_memory(Chain().eval(), (1, 1, 4, 4))
    executor = ArenaExecutor(traced, plan_memory(traced.graph, IN_PLACE))
    with pytest.raises(ValueError, match=r"planned for .* \(1, 1, 4, 4\), got .* \(2, 1, 4, 4\)"):
        executor.run(torch.zeros(2, 1, 4, 4))


def test_the_plan_of_another_network_is_refused():
    plan = plan_memory(read_memory(Residual().eval(), (1, 1, 4, 4)).graph)
    with pytest.raises(ValueError, match="another network"):
        ArenaExecutor(read_memory(Chain().eval(), (1, 1, 4, 4)), plan)


def test_an_alignment_that_splits_elements_is_refused():
    traced = read_memory(Chain().eval(), (1, 1, 4, 4))
    with pytest.raises(ValueError, match="multiple of 4"):
        ArenaExecutor(traced, plan_memory(traced.graph, Strategy(reuse=True), alignment=2))


def test_a_plan_that_lies_gives_other_numbers():
    """The executor really overwrites: two storages in one place destroy each other."""
    net, images = Residual().eval(), torch.randn(1, 1, 4, 4)
    traced = read_memory(net, images.shape)
    plan = plan_memory(traced.graph, IN_PLACE)
    wrong = replace(plan, arena=replace(plan.arena, offsets=dict.fromkeys(plan.arena.offsets, 0)))
    assert not torch.equal(ArenaExecutor(traced, wrong).run(images).output, ordinary(net, images))


def test_another_dtype_is_refused():
    traced = read_memory(Chain().eval(), (1, 1, 4, 4))
    executor = ArenaExecutor(traced, plan_memory(traced.graph, IN_PLACE))
    with pytest.raises(ValueError, match=r"planned for torch.float32 .*, got torch.float64"):
        executor.run(torch.zeros(1, 1, 4, 4, dtype=torch.float64))


def test_an_output_outlives_the_next_run():
    traced = read_memory(Chain().eval(), (1, 1, 4, 4))
    executor = ArenaExecutor(traced, plan_memory(traced.graph, IN_PLACE))
    first = executor.run(torch.ones(1, 1, 4, 4)).output
    kept = first.clone()
    executor.run(-torch.ones(1, 1, 4, 4))
    assert torch.equal(first, kept)
