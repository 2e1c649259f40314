"""Calibration: which images observers see, and statistics that runs share."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.layers.walk import quantizers
from qat.run.calibration import Calibration


@pytest.fixture
def converted(make_source):
    def convert(prepared):
        net, example = make_source(prepared).net, prepared.images.example()
        return quantize(net, make_plan(net, prepared.scheme, example))

    return convert


def scales(qnet):
    return [quantizer.qparams().scale for _, _, quantizer in quantizers(qnet)]


def test_as_many_images_as_asked_for_are_drawn_by_the_seed(make_prepared):
    first, again, other = (make_prepared(seed=seed).calibration for seed in (0, 0, 1))
    sizes = [len(images) for images, _ in first.batches()]
    assert sizes == [4, 4]
    assert [len(images) for images, _ in first.batches(at_once=3)] == [3, 3, 2]
    images = [torch.cat([x for x, _ in each.batches()]) for each in (first, again, other)]
    assert torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])


def test_images_of_their_own_take_the_place_of_train(make_prepared, tmp_path):
    np.savez(tmp_path / "own.npz", images=np.full((3, 8, 8, 3), 255, np.uint8))
    prepared = make_prepared(calibrate__path=str(tmp_path / "own.npz"))
    [(images, _)] = prepared.calibration.batches()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (prepared.data.mean, prepared.data.std))
    assert torch.equal(images, ((1 - mean) / std).expand(3, 3, 8, 8))


def test_a_second_run_takes_the_statistics_of_the_first(make_prepared, converted, monkeypatch):
    prepared = make_prepared()
    qnet, shared = converted(prepared), converted(prepared)
    prepared.calibration.run(qnet, "digest")
    monkeypatch.setattr(Calibration, "batches", None)  # no image is looked at again
    assert prepared.calibration.run(shared, "digest") > 0
    assert all(torch.equal(a, b) for a, b in zip(scales(qnet), scales(shared), strict=True))


def test_a_range_is_that_of_the_drawn_images(make_prepared, converted):
    scheme = {"first_last": "same", "act__signed": True, "act__observer": "minmax"}
    prepared = make_prepared(**{f"scheme__{name}": value for name, value in scheme.items()})
    qnet = converted(prepared)
    prepared.calibration.run(qnet, "digest")
    images = torch.cat([images for images, _ in prepared.calibration.batches()])
    # Signed codes are -8 to 7.
    expected = max(float(images.max()) / 7, float(images.min()) / -8)
    assert float(qnet.first.input_quantizer.qparams().scale) == pytest.approx(expected)


def test_dynamic_ranges_need_no_calibration_images(make_prepared, converted, monkeypatch):
    prepared = make_prepared("dynamic")
    monkeypatch.setattr(Calibration, "batches", None)
    qnet = converted(prepared)
    prepared.calibration.run(qnet, "digest")
    weight = qnet.second.weight.detach()
    expected = max(float(weight.max()) / 7, float(weight.min()) / -8)
    assert float(qnet.second.weight_quantizer.qparams().scale) == pytest.approx(expected)


def test_a_complete_pass_serves_runs_with_other_observers(make_prepared, converted, monkeypatch):
    first = make_prepared(scheme__act__observer="minmax")
    alone = converted(make_prepared(scheme__act__observer="mse"))
    replace(first.calibration, complete=True).run(converted(first), "digest")
    calibrate(alone, first.calibration.batches())
    monkeypatch.setattr(Calibration, "batches", None)  # no image is looked at again
    for observer in ("ema", "mse", "octav", "std", "minmax"):
        other = make_prepared(scheme__act__observer=observer)
        qnet = converted(other)
        other.calibration.run(qnet, "digest")
        if observer == "mse":
            pairs = zip(scales(qnet), scales(alone), strict=True)
            assert all(torch.equal(a, b) for a, b in pairs)


def test_a_single_run_collects_only_what_it_needs(make_prepared, converted):
    prepared = make_prepared(scheme__act__observer="minmax")
    prepared.calibration.run(converted(prepared), "digest")
    (path,) = prepared.cache.root.glob("calibration/*.safetensors")
    assert {name.rpartition("/")[2] for name in load_file(path)} == {"extremes", "uses"}
    other = make_prepared(scheme__act__observer="mse")
    other.calibration.run(converted(other), "digest")  # it needs more
    assert len([*prepared.cache.root.glob("calibration/*.safetensors")]) == 2
