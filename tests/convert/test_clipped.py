"""Negative values that unsigned codes clip are counted and reported."""

import warnings

import pytest
import torch

import qat as api
from qat.convert import clipped as clipped_file
from qat.convert.clipped import ClippedSignsWarning, watching_signs
from qat.core.scheme import Scheme, TensorSpec
from tests.convert.day_and_night import DAY, NIGHT, net, scheme


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_calibration_warns_by_name_and_share(placement):
    model = net()
    qnet = api.quantize(model, api.make_plan(model, scheme(placement), DAY))
    name = {"academic": r"0 \(act\)", "integer": r"input \(tensor\)"}[placement]
    with pytest.warns(ClippedSignsWarning, match=rf"{name}: 25\.00% .* negative, down to -1"):
        api.calibrate(qnet, [DAY, DAY, DAY, NIGHT])


def test_a_plan_of_all_images_warns_of_nothing():
    model = net()
    qnet = api.quantize(model, api.make_plan(model, scheme(), [DAY, NIGHT]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        api.calibrate(qnet, [DAY, NIGHT])
    assert caught == []


def test_an_evaluation_is_watched():
    model = net()
    qnet = api.quantize(model, api.make_plan(model, scheme(), DAY)).eval()
    api.calibrate(qnet, [DAY])
    with watching_signs(qnet) as clipped:
        qnet(DAY), qnet(NIGHT)
    assert [(c.name, c.slot, c.share, c.lowest) for c in clipped] == [("0", "act", 0.5, -1.0)]
    with watching_signs(qnet) as clipped:
        qnet(DAY)
    assert clipped == []


def test_counts_on_a_gpu_are_those_of_the_cpu(monkeypatch):
    model = net()
    qnet = api.quantize(model, api.make_plan(model, scheme(), DAY)).eval()
    api.calibrate(qnet, [DAY])
    results = []
    for immediate in (True, False):
        monkeypatch.setattr(clipped_file, "is_immediate", lambda device, now=immediate: now)
        with watching_signs(qnet) as clipped:
            qnet(DAY), qnet(NIGHT), qnet(NIGHT / 2), qnet(DAY)
        results.append(clipped)
    assert results[0] == results[1]
    assert results[0][0].share == 0.5


def test_an_exports_images_are_watched(tmp_path):
    model = net()
    qnet = api.quantize(model, api.make_plan(model, scheme("integer"), DAY)).eval()
    api.calibrate(qnet, [DAY])
    with pytest.warns(ClippedSignsWarning, match=r"input \(tensor\): 100\.00% .* negative"):
        api.export_onnx(qnet, tmp_path / "n.onnx", NIGHT)


def test_what_rounds_to_zero_anyway_is_no_loss():
    model = net()
    qnet = api.quantize(model, api.make_plan(model, scheme(), DAY)).eval()
    api.calibrate(qnet, [DAY])  # a step of 3 / 255
    with watching_signs(qnet) as clipped:
        qnet(torch.full((1, 1, 4, 4), -0.4 * 3 / 255))
    assert clipped == []


def test_an_asymmetric_grid_holds_negative_values_by_its_zero_point():
    model = net()
    asked = Scheme(TensorSpec(), TensorSpec(symmetric=False), "same")
    qnet = api.quantize(model, api.make_plan(model, asked, DAY)).eval()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        api.calibrate(qnet, [DAY, NIGHT])
    assert caught == []
