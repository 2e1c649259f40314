"""The average of weights against a recursion by hand, through a stop as well."""

import pytest
import torch

from qat.core.scheme import TensorSpec
from qat.quantizers.minmax import MinMaxQuantizer
from qat.training.aids.averaging import AverageWeights
from tests.training.aids.conftest import StopError, quantized_net, stop_after, train


def test_the_average_is_the_recursion_over_all_steps(tmp_path):
    averaging, seen = AverageWeights(0.9), []
    net = train(tmp_path, averaging, watch=seen)
    expected = seen[0].clone()
    for number, weight in enumerate(seen[1:], start=1):
        decay = min(0.9, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * weight
    assert torch.allclose(averaging.average["0.weight"], expected, atol=1e-6)
    assert torch.equal(net.get_submodule("0").weight, averaging.average["0.weight"])


def test_validation_and_the_result_take_the_average_and_training_its_own_weights(tmp_path):
    plain, seen, averaged_seen = [], [], []
    train(tmp_path / "a", watch=plain)
    train(tmp_path / "b", AverageWeights(0.9), watch=seen, validated=averaged_seen)
    assert all(torch.equal(a, b) for a, b in zip(plain, seen, strict=True))
    assert not torch.equal(averaged_seen[-1], seen[-1])


def test_a_stopped_training_continues_to_the_same_average(tmp_path):
    whole = train(tmp_path / "whole", AverageWeights(0.9))
    with pytest.raises(StopError):
        train(tmp_path / "parts", AverageWeights(0.9), stop_after(1))
    parts = train(tmp_path / "parts", AverageWeights(0.9))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name


@pytest.mark.parametrize("scale", ["free", "power_of_two"])
def test_averaged_grids_are_grids(tmp_path, scale):
    """A zero point is a whole number, and a power-of-two scale is one, after averaging too."""
    spec = TensorSpec(bits=4, signed=False, symmetric=False, scale=scale)
    net = quantized_net(act=spec)
    averaging = AverageWeights(0.9)
    train(tmp_path, averaging, net=net)
    quantizers = [m for m in net.modules() if isinstance(m, MinMaxQuantizer)]
    averages = [v for k, v in averaging.average.items() if k.endswith("zero_point")]
    assert any((v != v.round()).any() for v in averages)  # the case is not trivial
    for quantizer in quantizers:
        assert torch.equal(quantizer.zero_point, quantizer.zero_point.round())
        if quantizer.spec.scale == "power_of_two":
            exponents = quantizer.scale.log2()
            assert torch.equal(exponents, exponents.round())
