"""Harms of whole plans, measured once."""

import pytest
import torch

from qat.convert.swap import quantize
from qat.run.mixed import plan_meter
from qat.run.mixed.candidates import candidates
from qat.run.mixed.plan_meter import PlanMeter, uniform_plans
from qat.run.mixed.sensitivity import run_sensitivity


@pytest.fixture
def measured(make_choice):
    def make(images=None, **changes):
        metric = {"sensitivity__metric": "output_kl", "allocate__name": "remeasure"}
        request, source = make_choice(**{**metric, **changes})
        choice = candidates(request, source)
        table = run_sensitivity(request, source, choice.base)
        problem = choice.problem(table.harms())
        return choice, problem, PlanMeter(choice, problem, table, images)

    return make


@torch.no_grad()
def kl(choice, bits, count=None):
    request = choice.request
    batches = list(request.sensitivity_images if count is None else request.drawn(count))
    images = [batch for batch, _ in batches]
    qnet = quantize(choice.source.net, choice.with_widths(bits))
    choice.request.calibration.run(qnet, choice.source.digest)
    before, after = (
        torch.cat([net(batch) for batch in images]).double().log_softmax(1)
        for net in (choice.source.net, qnet.eval())
    )
    return float((before.exp() * (before - after)).sum(1).mean())


def test_harms_are_those_of_converted_networks(measured):
    choice, problem, meter = measured()
    bits = problem.bits([2, 4, 8])
    assert meter.harm(bits) == pytest.approx(kl(choice, bits), rel=1e-4, abs=1e-8)
    around = meter.harms_around(bits)
    assert {slot: sorted(own) for slot, own in around.items()} == {
        ("first", "weight"): [4, 8],
        ("second", "weight"): [2, 8],
        ("head", "weight"): [2, 4],
    }
    for slot, own in around.items():
        for width, harm in own.items():
            assert harm == pytest.approx(kl(choice, {**bits, slot: width}), rel=1e-4, abs=1e-8)


def test_another_number_of_images_is_another_measurement(measured):
    choice, problem, meter = measured()
    bits = problem.bits([2, 4, 8])
    on_all = measured(images=99)[2].harm(bits)  # of 15, all
    assert on_all == pytest.approx(kl(choice, bits, 15), rel=1e-4)
    assert on_all != pytest.approx(meter.harm(bits), rel=1e-3)


def test_what_was_measured_is_in_the_cache(measured, monkeypatch):
    _, problem, meter = measured()
    bits = problem.bits([2, 4, 8])
    harm, around = meter.harm(bits), meter.harms_around(bits)
    monkeypatch.setattr(plan_meter, "fit_quantizers", None)
    again = measured(allocate__average_weight_bits=3)[2]
    assert (again.harm(bits), again.harms_around(bits)) == (harm, around)
    with pytest.raises(TypeError):
        again.harm(problem.bits([8, 4, 8]))


def test_the_uniform_plans_are_those_of_the_scheme_and_of_each_width(measured):
    choice, problem, _ = measured()
    widths = [problem.widths(bits) for bits in uniform_plans(choice, problem)]
    assert widths == [[4] * 3, [2] * 3, [4] * 3, [8] * 3]
