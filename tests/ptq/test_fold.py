"""Folding keeps the outputs, and notes the statistics that a batch norm gives its output."""

import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.ptq.fold import Fold, norms_behind_layers
from qat.ptq.work import FloatWork
from tests.ptq.networks import IMAGES, Residual, chain_net, seeded


@pytest.mark.parametrize("make", [Residual, chain_net])
@torch.no_grad()
def test_outputs_stay_to_float_tolerance_and_no_batch_norm_is_left(make):
    net = seeded(make)
    before = net(IMAGES)
    Fold().change(FloatWork(net))
    assert torch.allclose(net(IMAGES), before, atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())


def test_the_statistics_are_those_of_the_normalised_output():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    nn.init.uniform_(net[1].weight, -2, 2)
    nn.init.normal_(net[1].bias)
    net[1].momentum = None
    with torch.no_grad():
        net(IMAGES)
        output = net.train()(IMAGES)  # normalised with the statistics of exactly these images
    work = FloatWork(net.eval())
    Fold().change(work)
    known = work.statistics["0"]
    assert torch.allclose(known.mean, output.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(known.std, output.std((0, 2, 3)), rtol=1e-3)


def test_a_batch_norm_without_a_layer_of_its_own_stays():
    first = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4))
    assert norms_behind_layers(first) == {}
    shared = nn.BatchNorm2d(4)
    net = nn.Sequential(nn.Conv2d(3, 4, 1), shared, nn.Conv2d(4, 4, 1), shared).eval()
    before = net(IMAGES)
    Fold().change(FloatWork(net))
    assert torch.equal(net(IMAGES), before)


def test_statistics_that_are_missing_or_infinite_are_refused():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)).eval()
    with pytest.raises(InputError, match="without running statistics cannot be folded"):
        Fold().change(FloatWork(net))
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    net[1].running_var[0] = float("nan")
    with pytest.raises(InputError, match="batch norm '1' cannot be folded"):
        Fold().change(FloatWork(net))
