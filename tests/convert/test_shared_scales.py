"""One scale for several tensors of a network holds their union: calibration and training."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate, calibrate_from, collect
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.layers.walk import quantizers
from tests.export.integer_networks import scheme

GAINS = (1.0, 4.0, 0.25)


class Branches(nn.Module):
    """Branches ``relu(gain * x)`` of an image, concatenated in two steps, and the image again."""

    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(1, 1, 1, bias=False) for _ in GAINS)
        self.head = nn.Linear(3, 2)
        with torch.no_grad():
            for branch, gain in zip(self.branches, GAINS, strict=True):
                branch.weight.fill_(gain)

    def forward(self, x):
        first, second, third = (branch(x).relu() for branch in self.branches)
        inner = torch.cat([first, second], 1)
        return self.head(torch.cat([inner, third], 1).mean((2, 3)))


class Twice(nn.Module):
    """One layer that is called on its own result: its inputs share a scale, in any placement."""

    def __init__(self):
        super().__init__()
        self.again, self.head = nn.Conv2d(1, 1, 1, bias=False), nn.Linear(1, 2)
        with torch.no_grad():
            self.again.weight.fill_(5.0)

    def forward(self, x):
        return self.head(self.again(self.again(x).relu()).relu().mean((2, 3)))


def batches(count=4):
    """Bright to dark, all positive."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 5, 1, 4, 4, generator=generator)
    return list(images * torch.tensor([1.0, 3.0, 0.5, 2.0])[:count].reshape(-1, 1, 1, 1, 1))


def planned(net, observer, placement):
    act = TensorSpec(symmetric=True, observer=Method(observer))
    asked = Scheme(TensorSpec(granularity="channel"), act, "same", placement)
    return quantize(net, make_plan(net, asked, batches()[0]))


def quantizer_of(qnet, name, slot):
    return next(q for n, s, q in quantizers(qnet) if (n, s) == (name, slot))


def average(tops):
    """Ten per cent of the way at each batch, from the first."""
    value = tops[0]
    for top in tops[1:]:
        value += 0.1 * (top - value)
    return value


def by_hand(observer, unions):
    """Largest value of the range that an observer takes from unions of tensors, by numpy."""
    tops = [union.max() for union in unions]
    return {"ema": average(tops), "minmax": max(tops)}[observer]


@pytest.mark.parametrize("observer", ["ema", "minmax"])
def test_branches_of_nested_concatenations_share_their_unions_range(observer):
    qnet = planned(Branches(), observer, "integer")
    calibrate(qnet, batches())
    unions = [np.concatenate([b.numpy().ravel() * gain for gain in GAINS]) for b in batches()]
    scale = quantizer_of(qnet, "branches.0", "tensor").qparams().scale.item()
    assert scale == pytest.approx(by_hand(observer, unions) / 255, rel=1e-6)


@pytest.mark.parametrize("observer", ["ema", "minmax"])
@pytest.mark.parametrize(("placement", "slot"), [("integer", "tensor"), ("academic", "act")])
def test_inputs_of_a_layer_that_is_called_twice_do(placement, slot, observer):
    qnet = planned(Twice(), observer, placement)
    calibrate(qnet, batches())
    name = {"integer": "input", "academic": "again"}[placement]
    unions = [np.concatenate([b.numpy().ravel(), 5 * b.numpy().ravel()]) for b in batches()]
    scale = quantizer_of(qnet, name, slot).qparams().scale.item()
    assert scale == pytest.approx(by_hand(observer, unions) / 255, rel=1e-6)


@pytest.mark.parametrize("name", ["ema", "minmax", "percentile", "mse", "mean_abs"])
def test_statistics_that_are_shared_give_the_same_network(name):
    first, second = planned(Branches(), name, "integer"), planned(Branches(), name, "integer")
    second.load_state_dict(first.state_dict())
    calibrate_from(second, collect(first, batches()))
    for qnet in (first, second):  # a training follows the union then, too
        qnet.train()(batches()[1])
    assert torch.equal(first.eval()(batches()[2]), second.eval()(batches()[2]))


@pytest.mark.parametrize("make", [Branches, Twice])
@pytest.mark.parametrize("placement", ["integer", "academic"])
def test_a_training_step_moves_the_range_by_its_union(make, placement):
    qnet = planned(make(), "ema", placement)
    calibrate(qnet, batches()[:1])
    shared = [q for _, s, q in quantizers(qnet) if s != "weight" and q.observer.uses > 1]
    assert len(shared) == int(make is Twice or placement == "integer")
    for quantizer in shared:
        before = quantizer.observer.high.item()
        seen = []
        handle = quantizer.register_forward_pre_hook(
            lambda _, args, seen=seen: seen.append(args[0].max().item())
        )
        qnet.train()(batches()[1])
        handle.remove()
        expected = before + 0.1 * (max(seen) - before)
        assert quantizer.observer.high.item() == pytest.approx(expected, rel=1e-6)
        assert quantizer.qparams().scale.item() == pytest.approx(expected / 255, rel=1e-6)


@pytest.mark.parametrize("make", [Branches, Twice])
@pytest.mark.parametrize("placement", ["integer", "academic"])
def test_a_range_that_moves_within_a_step_leaves_its_gradients(make, placement):
    """The backward of the first tensor has the scale that its forward had."""
    qnet = planned(make(), "ema", placement)
    calibrate(qnet, batches()[:1])
    qnet.train()(batches()[1]).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in qnet.parameters())


def test_tensors_of_one_step_are_rounded_alike_in_training():
    qnet = planned(Branches(), "ema", "integer")
    calibrate(qnet, batches()[:1])
    quantizer = quantizer_of(qnet, "branches.0", "tensor")
    scale, outputs = quantizer.qparams().scale.item(), []
    quantizer.register_forward_hook(lambda _, args, out: outputs.append(out.detach()))
    qnet.train()(batches()[1])
    codes = torch.cat([out.flatten() for out in outputs]) / scale
    assert len(outputs) == 3
    torch.testing.assert_close(codes, codes.round(), rtol=0, atol=1e-3)


def test_a_learned_step_starts_from_the_union():
    lsq = Method("lsq", options={"start": "observer"})
    act = TensorSpec(quantizer=lsq, observer=Method("minmax"))
    net = Branches()
    asked = Scheme(TensorSpec(granularity="channel"), act, "same", "integer")
    qnet = quantize(net, make_plan(net, asked, batches()[0]))
    calibrate(qnet, batches())
    top = max(float(b.max()) for b in batches()) * max(GAINS)
    step = quantizer_of(qnet, "branches.0", "tensor").qparams().scale.item()
    assert step == pytest.approx(top / 255, rel=1e-6)


def sqnr_db(net, placement, observer, images):
    """Signal to quantization noise of the logits at 8 bits."""
    asked = scheme(placement=placement)
    act = asked.act.but(observer=Method(observer))
    asked = Scheme(asked.weight, act, "same", placement)
    with torch.no_grad():
        expected = net.eval()(images)
        qnet = quantize(net, make_plan(net, asked, images)).eval()
        calibrate(qnet, [images])
        noise = qnet(images) - expected
    return 10 * float(torch.log10(expected.square().sum() / noise.square().sum()))


class UnevenBranches(nn.Module):
    """A loud and a quiet branch of a small network, concatenated."""

    def __init__(self):
        super().__init__()
        self.stem, self.quiet, self.loud = (nn.Conv2d(i, 16, 3, padding=1) for i in (3, 16, 16))
        self.head = nn.Linear(32, 10)
        with torch.no_grad():
            self.loud.weight *= 20
            self.loud.bias *= 20

    def forward(self, x):
        x = self.stem(x).relu()
        return self.head(torch.cat([self.quiet(x).relu(), self.loud(x).relu()], 1).mean((2, 3)))


@pytest.mark.parametrize("observer", ["default", "ema", "minmax", "mse", "percentile"])
def test_a_loud_branch_is_held_as_well_as_in_placement_academic(observer):
    torch.manual_seed(0)
    net, images = UnevenBranches(), torch.randn(16, 3, 12, 12)
    academic, integer = (sqnr_db(net, p, observer, images) for p in ("academic", "integer"))
    assert integer > academic - 3


def settle(net, images):
    """Give batch norm the statistics of some images, so that a random network tells them apart."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.train()(images)


@pytest.mark.slow
@pytest.mark.parametrize("observer", ["default", "minmax", "mse", "percentile"])
@pytest.mark.parametrize("name", ["inception_v3", "googlenet", "densenet121"])
def test_torchvisions_concatenating_networks(name, observer):
    """What placement integer costs beside academic: the tensors that it rounds besides."""
    import torchvision

    torch.manual_seed(0)
    more = {} if name == "densenet121" else {"aux_logits": True}
    if name != "densenet121":
        more["init_weights"] = name == "inception_v3"
    net = torchvision.models.get_model(name, weights=None, num_classes=10, **more)
    size = 299 if name == "inception_v3" else 224
    images = torch.randn(2, 3, size, size)
    if name == "googlenet":  # untrained statistics leave logits that are their biases alone
        settle(net, images)
    net.eval()
    academic, integer = (sqnr_db(net, p, observer, images) for p in ("academic", "integer"))
    print(f"{name} {observer}: academic {academic:.1f} dB, integer {integer:.1f} dB")
    assert integer > academic - 3


@pytest.mark.parametrize("observer", ["minmax", "ema", "percentile", "mse"])
@pytest.mark.parametrize("net", [Branches, Twice])
def test_a_batch_in_parts_is_the_batch(observer, net):
    """Five images, two at once: what observers see of a batch is the union of its parts."""
    torch.manual_seed(0)
    made = net()
    whole, parts = (planned(made, observer, "integer") for _ in range(2))
    calibrate(whole, batches())
    calibrate(parts, batches(), at_once=2)
    for (name, slot, one), (_, _, other) in zip(quantizers(whole), quantizers(parts), strict=True):
        assert one.observer.uses == other.observer.uses, (name, slot)
        assert torch.equal(one.qparams().scale, other.qparams().scale), (name, slot)
