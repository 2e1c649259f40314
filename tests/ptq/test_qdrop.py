"""QDrop: which elements are rounded."""

import torch

from qat.ptq.block_reconstruction import BlockReconstruction
from qat.ptq.qdrop import QDrop
from tests.ptq.networks import Residual, quantized, seeded, work_of
from tests.ptq.test_adaround import EFFORT, SHORT, error, states_equal


def changed(step):
    qnet = quantized(seeded(Residual), bits=3, act_bits=3)
    step.change(work_of(qnet))
    return qnet


def test_half_of_a_blocks_input_is_that_of_the_float_network(monkeypatch):
    mixed = []

    def record(loss, *_):
        loss(torch.arange(12), 0)

    monkeypatch.setattr("qat.ptq.block_reconstruction.reconstruct", record)
    monkeypatch.setattr(
        "qat.ptq.blocks.LayerBlock.run",
        lambda block, x: mixed.append((block, x)) or block.float_outputs,
    )
    qnet = quantized(seeded(Residual), bits=2)
    QDrop(iterations=1).change(work_of(qnet))
    block, x = mixed[1]  # the first block's inputs are the images in both networks
    is_float, is_quantized = x == block.float_inputs, x == block.inputs
    assert (is_float | is_quantized).all()
    share = (is_float & ~is_quantized).sum() / (is_float != is_quantized).sum()
    assert 0.45 < share < 0.55


def test_all_elements_are_rounded_afterwards():
    qnet = changed(QDrop(**SHORT))
    x = torch.randn(2, 6, 8, 8).relu()
    assert qnet.block.conv1.input_quantizer(x).unique().numel() <= 8


def test_without_dropping_it_is_plain_block_reconstruction():
    assert states_equal(changed(QDrop(**SHORT, drop=0.0)), changed(BlockReconstruction(**SHORT)))


def test_loses_less_than_calibration():
    calibrated = quantized(seeded(Residual), bits=3, act_bits=3)
    assert error(changed(QDrop(**EFFORT | {"iterations": 80}))) < 0.95 * error(calibrated)
