"""What observers saw is shared: ranges taken from it equal those of observing, bit for bit."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from qat.convert.calibrate import calibrate, calibrate_from, collected, statistics_keys
from qat.convert.integer import fold_norms
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.observers.ema import EMAObserver
from qat.observers.minmax import MinMaxObserver
from tests.export.integer_networks import Residual, scheme

OBSERVERS = ("minmax", "ema", "percentile", "mse", "latest", "mean_abs")


class OneOfTheUsers(MinMaxObserver):
    """Collects what nobody knows."""


def quantized(net, images, act):
    plan = make_plan(net, Scheme(weight=TensorSpec(granularity="channel"), act=act), images)
    return quantize(net, plan)


def by_observer(name, symmetric=True, bits=8):
    return TensorSpec(bits=bits, symmetric=symmetric, observer=Method(name))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("name", OBSERVERS)
def test_ranges_equal_those_of_observing(tiny_model, tiny_images, tmp_path, name, symmetric):
    spec = by_observer(name, symmetric)
    observed = quantized(tiny_model, tiny_images, spec)
    calibrate(observed, tiny_images.split(6))
    save_file(collected(observed), tmp_path / "it.safetensors")

    shared = quantized(tiny_model, tiny_images, spec)
    calibrate_from(shared, load_file(tmp_path / "it.safetensors"))
    expected = observed.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in shared.state_dict().items())
    assert torch.equal(shared(tiny_images), observed(tiny_images))


def test_many_batches_of_a_histogram_go_along(tiny_model, tiny_images):
    spec = by_observer("percentile")
    nets = [quantized(tiny_model, tiny_images, spec) for _ in range(2)]
    batches = [tiny_images.repeat(8, 1, 1, 1) * scale for scale in (1, 3, 0.5)]  # it grows once
    calibrate(nets[0], batches)
    calibrate_from(nets[1], collected(nets[0]))
    first, second = (net.state_dict() for net in nets)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_widths_symmetry_and_histogram_methods_share(tiny_model, tiny_images):
    keys = [
        statistics_keys(quantized(tiny_model, tiny_images, spec))
        for spec in (
            by_observer("mse"),
            by_observer("percentile", symmetric=False, bits=4),
            by_observer("minmax"),
        )
    ]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]


def test_what_differs_in_its_statistics_does_not_share():
    assert EMAObserver(1, 0.1).statistics_key() != EMAObserver(1, 0.2).statistics_key()
    assert MinMaxObserver(1).statistics_key() != MinMaxObserver(2).statistics_key()
    assert MinMaxObserver(1).statistics_key() != EMAObserver(1).statistics_key()


def test_a_method_of_the_users_shares_nothing(tiny_model, tiny_images):
    assert OneOfTheUsers(1).statistics_key() is None
    net = quantized(tiny_model, tiny_images, by_observer("minmax"))
    net.stem.input_quantizer.observer = OneOfTheUsers(1)
    assert statistics_keys(net) is None


def test_an_integer_network_takes_what_another_collected(tiny_images):
    """Batch norm folded for good in one, at each use in the other: they see the same tensors."""
    net = Residual().eval()
    with torch.no_grad():
        net.norm.running_mean.normal_()
    plan = make_plan(net, scheme(), tiny_images)
    observed, shared = (quantize(net, plan, keep_norms=kept) for kept in (False, True))
    assert statistics_keys(observed) == statistics_keys(shared)
    calibrate(observed, tiny_images.split(6))
    calibrate_from(shared, collected(observed))
    fold_norms(shared)
    assert torch.equal(shared(tiny_images), observed(tiny_images))
