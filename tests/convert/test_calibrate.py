"""Ranges from data, by hand, and from the statistics that another calibration collected."""

from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file

from qat.convert.calibrate import (
    calibrate,
    calibrate_from,
    collect,
    freeze_observers,
    set_phase,
    set_progress,
    statistics_keys,
)
from qat.convert.integer import fold_norms
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.layers.walk import quantizers
from qat.observers.ema import EMAObserver
from qat.observers.minmax import MinMaxObserver
from qat.observers.registry import OBSERVERS
from tests.export.integer_networks import Residual, scheme

NAMES = sorted(OBSERVERS)


class OneOfTheUsers(MinMaxObserver):
    """Collects what nobody knows."""


def quantized(net, images, act):
    plan = make_plan(net, Scheme(weight=TensorSpec(granularity="channel"), act=act), images)
    return quantize(net, plan)


def by_observer(name, symmetric=True, bits=8):
    return TensorSpec(bits=bits, symmetric=symmetric, observer=Method(name))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_ranges_equal_those_of_observing(tiny_model, tiny_images, tmp_path, name, symmetric):
    spec = by_observer(name, symmetric)
    observed = quantized(tiny_model, tiny_images, spec)
    save_file(collect(observed, tiny_images.split(6)), tmp_path / "it.safetensors")

    shared = quantized(tiny_model, tiny_images, spec)
    calibrate_from(shared, load_file(tmp_path / "it.safetensors"))
    expected = observed.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in shared.state_dict().items())
    assert torch.equal(shared(tiny_images), observed(tiny_images))


def test_many_batches_of_a_histogram_go_along(tiny_model, tiny_images):
    spec = by_observer("percentile")
    nets = [quantized(tiny_model, tiny_images, spec) for _ in range(2)]
    batches = [tiny_images.repeat(8, 1, 1, 1) * scale for scale in (1, 3, 0.5)]  # it grows once
    calibrate_from(nets[1], collect(nets[0], batches))
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


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("name", NAMES)
def test_one_complete_pass_serves_every_observer(tiny_model, tiny_images, name, bits):
    """Its ranges equal those of a pass of its own, bit for bit, also if the histogram grew."""
    batches = [tiny_images.repeat(8, 1, 1, 1) * scale for scale in (1, 3, 0.5)]
    spec = by_observer(name, symmetric=bits == 8, bits=bits)
    alone, shared = (quantized(tiny_model, tiny_images, spec) for _ in range(2))
    statistics = collect(
        quantized(tiny_model, tiny_images, by_observer("minmax")),
        batches,
        at_once=50,
        complete=True,
    )
    calibrate(alone, batches, at_once=50)
    calibrate_from(shared, statistics)
    expected = alone.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in shared.state_dict().items())


@pytest.mark.parametrize("name", NAMES)
def test_collecting_more_than_it_needs_changes_no_range(tiny_model, tiny_images, name):
    own, more = (quantized(tiny_model, tiny_images, by_observer(name)) for _ in range(2))
    calibrate(own, tiny_images.split(6))
    collect(more, tiny_images.split(6), complete=True)
    expected = own.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in more.state_dict().items())
    assert statistics_keys(own, complete=True) == statistics_keys(more, complete=True)


def test_the_extremes_of_batches_serve_observers_of_every_momentum():
    assert EMAObserver(1, 0.1).statistics_key() == MinMaxObserver(1).statistics_key()
    assert MinMaxObserver(1).statistics_key() != MinMaxObserver(2).statistics_key()


def test_observers_are_put_back_if_a_calibration_fails(tiny_model, tiny_images):
    net = quantized(tiny_model, tiny_images, by_observer("mse"))
    before = [quantizer.observer for _, _, quantizer in quantizers(net)]
    with pytest.raises(ValueError, match="NaN or infinity"):
        calibrate(net, [tiny_images * torch.nan])
    assert [quantizer.observer for _, _, quantizer in quantizers(net)] == before


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
    calibrate_from(shared, collect(observed, tiny_images.split(6)))
    fold_norms(shared)
    assert torch.equal(shared(tiny_images), observed(tiny_images))


class TestCalibration:
    @pytest.fixture
    def qnet(self, tiny_model, tiny_images):
        scheme = Scheme(act=TensorSpec(observer=Method("minmax")))
        return quantize(tiny_model, make_plan(tiny_model, scheme, tiny_images))

    def ranges(self, qnet):
        return {(n, s): q.qparams().scale.clone() for n, s, q in quantizers(qnet)}

    def test_collects_the_float_networks_own_values(self, qnet, tiny_model, tiny_images):
        calibrate(qnet, tiny_images.split(4))
        expected = tiny_images.abs().max() / 127
        assert self.ranges(qnet)["stem", "act"].item() == pytest.approx(expected.item())
        hidden = tiny_model.norm(tiny_model.stem(tiny_images)).relu().max() / 255
        assert self.ranges(qnet)["depthwise", "act"].item() == pytest.approx(
            hidden.item(), rel=1e-5
        )

    def test_half_precision_rounds_nothing_while_ranges_are_observed(self, tiny_model, tiny_images):
        scheme = Scheme(act=TensorSpec(observer=Method("minmax")), first_last="fp16")
        qnet = quantize(tiny_model, make_plan(tiny_model, scheme, tiny_images))
        calibrate(qnet, [tiny_images])
        hidden = tiny_model.norm(tiny_model.stem(tiny_images)).relu().max()
        assert self.ranges(qnet)["depthwise", "act"] == hidden / 255

    def test_weights_are_observed_too(self, qnet, tiny_model, tiny_images):
        calibrate(qnet, [tiny_images])
        expected = tiny_model.stem.weight.abs().amax(dim=(1, 2, 3)) / 127
        torch.testing.assert_close(self.ranges(qnet)["stem", "weight"], expected)

    def test_runs_in_evaluation_mode_and_gives_the_modes_back(self, qnet, tiny_images):
        qnet.train()
        qnet.head.eval()
        statistics = qnet.norm.running_mean.clone()
        calibrate(qnet, [tiny_images])
        assert torch.equal(qnet.norm.running_mean, statistics)
        assert qnet.norm.training
        assert not qnet.head.training

    def test_forgets_what_it_saw_before(self, qnet, tiny_images):
        calibrate(qnet, [100 * tiny_images])
        calibrate(qnet, [tiny_images])
        once = self.ranges(qnet)["stem", "act"].item()
        assert once == pytest.approx(tiny_images.abs().max().item() / 127)

    def test_takes_tuples_and_tells_its_progress(self, qnet, tiny_images):
        seen = []

        def track(batches):
            for batch in batches:
                seen.append(len(batch[0]))
                yield batch

        calibrate(qnet, [(tiny_images, None), (tiny_images[:4], None)], track)
        assert seen == [16, 4]

    def test_without_batches_it_is_refused(self, qnet):
        with pytest.raises(ValueError, match=r"no batches: set calibrate\.images"):
            calibrate(qnet, [])

    def test_nan_is_refused_with_the_layer(self, qnet, tiny_images):
        tiny_images[3] = torch.nan
        with pytest.raises(ValueError, match=r"stem \(act\): .*NaN or infinity"):
            calibrate(qnet, [tiny_images])

    def test_needs_no_gradient(self, qnet, tiny_images):
        calibrate(qnet, [tiny_images])
        assert all(p.grad is None for p in qnet.parameters())

    def test_freezing_and_thawing(self, qnet):
        freeze_observers(qnet)
        assert all(q.frozen for _, _, q in quantizers(qnet))
        freeze_observers(qnet, frozen=False)
        assert not any(q.frozen for _, _, q in quantizers(qnet))

    def test_the_progress_of_a_training_reaches_every_quantizer(self, qnet, monkeypatch):
        shares = {}
        for name, slot, quantizer in quantizers(qnet):
            monkeypatch.setattr(quantizer, "set_progress", partial(shares.setdefault, (name, slot)))
        set_progress(qnet, 0.25)
        assert shares == {(name, slot): 0.25 for name, slot, _ in quantizers(qnet)}
        for wrong in (-0.1, 1.5, float("nan")):
            with pytest.raises(ValueError, match="share must be 0 to 1, got"):
                set_progress(qnet, wrong)

    def test_an_unknown_phase_is_refused(self, qnet):
        with pytest.raises(ValueError, match="phase must be one of"):
            set_phase(qnet, "training")
