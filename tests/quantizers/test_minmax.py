"""The classic fake quantizer: whose range it takes, and when that follows training."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.minmax import MinMaxQuantizer


def minmax(layout=None, **settings):
    return MinMaxQuantizer(
        TensorSpec(**{"bits": 4, "signed": True, **settings}), layout or Layout()
    )


def test_a_range_that_is_set_by_hand():
    quantizer = minmax().eval()
    quantizer.set_range(-7.0, 3.5)
    assert quantizer(torch.tensor([0.4, 0.6, -6.6, 100.0])).tolist() == [0.0, 1.0, -7.0, 7.0]


def test_each_slice_takes_its_own_range():
    quantizer = minmax(Layout.of_weight("channel", (2, 3)), granularity="channel")
    quantizer.set_range(torch.tensor([-7.0, -14.0]), torch.tensor([0.0, 0.0]))
    assert quantizer.scale.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("training", [True, False])
def test_a_range_follows_training_alone(training):
    quantizer = minmax()
    quantizer.set_phase("observe")
    quantizer(torch.tensor([[-1.0, 1.0]]))
    quantizer.set_phase("quantize")
    quantizer.train(training)
    quantizer(torch.tensor([[-11.0, 11.0]]))
    # A moving average of 0.1: 1 + 0.1 (11 - 1) = 2
    assert quantizer.scale.item() == pytest.approx((2.0 if training else 1.0) / 7)


def test_a_frozen_range_stands_still():
    quantizer = minmax().train()
    quantizer.set_range(-1.0, 1.0)
    quantizer.frozen = True
    quantizer(torch.tensor([[-11.0, 11.0]]))
    assert quantizer.scale.item() == pytest.approx(1 / 7)


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_a_weight_follows_its_present_extremes(granularity):
    quantizer = minmax(Layout.of_weight(granularity, (1, 2)), granularity=granularity).train()
    for largest in (5.0, 0.5, 2.0):
        quantizer(torch.tensor([[-largest, 0.1]]))
        assert quantizer.scale.item() == pytest.approx(largest / 7)


@pytest.mark.parametrize("observer", ["percentile", "mse"])
def test_a_histogram_range_stays_as_calibrated(observer):
    quantizer = minmax(observer=Method(observer))
    quantizer.set_phase("observe")
    quantizer(torch.linspace(-1, 1, 100)[None])
    quantizer.set_phase("quantize")
    before = quantizer.scale.clone()
    quantizer.train()(torch.tensor([[-11.0, 11.0]]))
    assert torch.equal(quantizer.scale, before)


def test_an_inner_range_stops_the_gradient_of_what_it_clips():
    quantizer = minmax().eval()
    quantizer.set_range(-1.0, 1.0)
    x = torch.tensor([0.5, 0.99, 3.0, -3.0], requires_grad=True)
    quantizer(x).sum().backward()
    assert x.grad.tolist() == [1, 1, 0, 0]
