"""Which weights a penalty sees, and the course of its factor."""

import math

import pytest
import torch

from qat.core.scheme import TensorSpec
from qat.training.aids.penalty import cosine, in_steps, rounded_weights
from tests.gpu.conftest import calibrated
from tests.training.aids.conftest import quantized_net


def test_the_cosine_starts_and_ends_at_its_values():
    values = [cosine(0.1, 0.01, step, 11) for step in range(12)]
    assert values[0] == pytest.approx(0.1)
    assert values[10] == values[11] == pytest.approx(0.01)
    assert values[5] == pytest.approx(0.055)
    assert values[1] == pytest.approx(0.01 + 0.09 * (1 + math.cos(math.pi / 10)) / 2)


def test_a_training_of_one_step_has_the_first_value():
    assert cosine(0.0, 0.1, 0, 1) == 0.0


def test_every_rounded_weight_is_seen_in_units_of_its_step():
    net, _ = calibrated("lsq")
    seen = list(rounded_weights(net))
    assert [name for name, _, _ in seen] == ["0", "3", "7"]
    for _, weight, quantizer in seen:
        values, codes = in_steps(weight, quantizer)
        scale = quantizer.qparams().scale.reshape(-1, *[1] * (weight.ndim - 1))
        assert torch.allclose(values * scale, weight)
        assert torch.equal(codes, codes.round())
        inside = (values > quantizer.grid.qmin) & (values < quantizer.grid.qmax)
        assert bool(((values - codes).abs()[inside] <= 0.5 + 1e-5).all())


def test_a_weight_that_is_off_has_no_penalty():
    net, _ = calibrated("lsq")
    net.get_submodule("3").weight_quantizer.set_phase("off")
    assert [name for name, _, _ in rounded_weights(net)] == ["0", "7"]


@pytest.mark.parametrize("method", ["qil", "apot"])
def test_weights_whose_bins_are_not_around_their_levels_have_no_penalty(method):
    assert list(rounded_weights(calibrated(method)[0])) == []


def test_weights_in_blocks_have_no_penalty():
    """As a rule may set them; the scheme's own are refused before."""
    blocks = TensorSpec(format="mxfp4_e2m1", bits=4, signed=True)
    seen = [name for name, _, _ in rounded_weights(quantized_net(weight=blocks))]
    assert seen == ["0", "7"]  # the first and the last layer have integers of 8 bits
