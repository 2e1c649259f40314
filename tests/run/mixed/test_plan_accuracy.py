"""The accuracy of a plan, measured once."""

import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.run.mixed import plan_accuracy
from qat.run.mixed.plan_accuracy import PlanAccuracy


@pytest.fixture
def accuracy(make_choice):
    request, source = make_choice()
    batches = request.calibration.images.test()
    return PlanAccuracy(request.calibration, source, "test", batches, {"first": None})


@pytest.fixture
def plan(accuracy, make_choice):
    example = accuracy.calibration.images.example()
    return make_plan(accuracy.source.net, make_choice()[0].scheme, example)


def test_it_is_that_of_the_calibrated_network(accuracy, plan):
    qnet = quantize(accuracy.source.net, plan)
    calibrate(qnet, accuracy.calibration.batches())
    data = accuracy.calibration.images.data
    with torch.no_grad():
        logits = qnet.eval()(data.preprocess(data.test.images))
    measured = accuracy(plan)
    expected = float((logits.argmax(1) == data.test.labels).float().mean())
    assert measured["top1"] == pytest.approx(expected)
    loss = torch.nn.functional.cross_entropy(logits, data.test.labels)
    assert measured["loss"] == pytest.approx(float(loss), rel=1e-5)


def test_a_plan_is_measured_once_on_the_same_images(accuracy, plan, monkeypatch):
    first = accuracy(plan)
    evaluations = []
    monkeypatch.setattr(
        plan_accuracy, "evaluate", lambda *_: evaluations.append(1) or {"top1": -1.0}
    )
    assert accuracy(plan) == first
    assert accuracy(plan.change("head", act=plan.layers["head"].act.but(bits=2)))["top1"] == -1
    other = PlanAccuracy(
        accuracy.calibration, accuracy.source, "test", accuracy.batches, {"first": 6}
    )
    assert other(plan)["top1"] == -1
    assert len(evaluations) == 2
