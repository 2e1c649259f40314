"""BRECQ's weights of errors."""

import torch

from qat.ptq.blocks import each_block
from qat.ptq.brecq import Brecq, with_mean_1
from tests.ptq.networks import Residual, quantized, seeded, work_of
from tests.ptq.test_adaround import EFFORT, error


def test_weights_are_the_fisher_diagonal_with_mean_1_for_each_image():
    qnet = quantized(seeded(Residual))
    block = next(iter(each_block(work_of(qnet))))
    weights = Brecq(iterations=1).importance(block)
    fisher = block.fisher_diagonal(16)
    assert weights.shape == block.float_outputs.shape
    assert torch.allclose(weights.mean((1, 2, 3)), torch.ones(12))
    ratio = weights[3] / fisher[3]
    assert torch.allclose(ratio, ratio.mean().expand_as(ratio), rtol=1e-3)


def test_an_image_without_influence_counts_evenly():
    assert with_mean_1(torch.zeros(2, 3, 2, 2)).eq(1).all()


def test_loses_less_than_calibration():
    qnet, calibrated = (quantized(seeded(Residual), bits=3, act_bits=4) for _ in range(2))
    Brecq(**EFFORT, probes=2).change(work_of(qnet))
    assert error(qnet) < 0.8 * error(calibrated)


def test_errors_that_matter_more_become_smaller(monkeypatch):
    """With all the weight on one channel of the stem, that channel fits better."""

    def first_channel_error(self_importance):
        monkeypatch.setattr(Brecq, "importance", self_importance)
        qnet = quantized(seeded(Residual), bits=2, granularity="tensor", act_bits=32)
        work = work_of(qnet)
        Brecq(**EFFORT).change(work)
        block = next(iter(each_block(work_of(qnet))))
        target = work.float_net.stem(block.inputs)[:, 0].relu()
        with torch.no_grad():
            return float((block.run(block.inputs)[:, 0] - target).square().mean())

    def on_the_first(_, block):
        weights = torch.full_like(block.float_outputs, 1e-3)
        weights[:, 0] = 1
        return weights

    assert first_channel_error(on_the_first) <= first_channel_error(lambda *_: None)
