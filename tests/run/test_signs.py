"""Signs of a run: decided by all its calibration images; wrong ones stand in the record."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.records.schema import RunRecord
from qat.records.warned import warnings_of, with_warnings
from qat.run import signs
from qat.run.signs import note_signs, plan_with_signs

FEW = [
    *("data=npz", "data.path=it.npz", "float=smoke", "tracking=none", "export=none"),
    *("measure.repeats=1", "measure.warmup=0", "data.val_fraction=0.2"),
]


def day_and_night():
    """Sorted: the first half is bright, so that none of it is negative behind normalisation."""
    rng = np.random.default_rng(0)
    bright, dark = (rng.integers(low, low + 40, (40, 8, 8, 1)) for low in (200, 10))
    images = np.concatenate([bright, dark]).astype(np.uint8)
    labels = np.repeat(np.arange(2), 40)
    return {
        "train_images": images,
        "train_labels": labels,
        "test_images": images,
        "test_labels": labels,
    }


def path_of(out):
    line = next(line for line in out.splitlines() if line.startswith("record: "))
    return Path(line.removeprefix("record: "))


def record_of(out):
    return RunRecord.from_dict(json.loads(path_of(out).read_text()))


@pytest.mark.slow
def test_all_images_decide_and_a_wrong_sign_is_told_by_layer_and_share(qat, npz):
    npz(**day_and_night())
    code, out, _ = qat("run", *FEW, "mode=static")
    record = record_of(out)
    first = next(iter(record.plan["layers"].values()))
    assert code == 0
    assert first["act"]["signed"] is True
    assert warnings_of(record) == []
    assert "warning:" not in out

    code, out, _ = qat("run", *FEW, "mode=static", "scheme.act.signed=false")
    name, warned = next(iter(record.plan["layers"])), warnings_of(record_of(out))
    assert code == 0
    assert f"evaluation: {name} (act): 50.00% of its values are negative" in warned[0]
    assert f"warning: {warned[0]}" in out

    folder = str(path_of(out).parent)
    code, out, _ = qat("evaluate", folder)
    assert code == 0
    assert f"warning: {warned[0]}" in out
    code, out, _ = qat("diagnose", folder)
    assert code == 0
    assert f"• warning: {warned[0]}" in out


def test_records_without_warnings_and_with_foreign_ones_are_read():
    record = RunRecord(id="0" * 12, status="running", mode="static", seed=0)
    assert warnings_of(record) == []
    assert warnings_of(with_warnings(record, ["a", "b"])) == ["a", "b"]
    assert "warnings" not in with_warnings(with_warnings(record, ["a"]), []).environment
    foreign = RunRecord("0" * 12, "running", "static", 0, environment={"warnings": "no list"})
    assert warnings_of(foreign) == []


@pytest.fixture
def dark_at_the_end(make_prepared, tmp_path):
    """Prepare a run whose first 24 images are bright, and its last 12 dark: negative values."""
    images = np.full((36, 8, 8, 3), 200, np.uint8)
    images[24:] = 20
    arrays = {f"{part}_images": images for part in ("train", "test")}
    arrays |= {f"{part}_labels": np.arange(36) % 3 for part in ("train", "test")}
    np.savez(tmp_path / "it.npz", **arrays)
    data = {"name": "npz", "path": str(tmp_path / "it.npz"), "options": {}}
    data |= {"train_images": None, "test_images": None, "mean": [0.5] * 3, "std": [0.25] * 3}
    changes = {f"data__{key}": value for key, value in data.items()}

    def make(mode, **more):
        return make_prepared(
            mode, calibrate__images=36, scheme__first_last="same", **changes, **more
        )

    return make


def first_sign(plan):
    return plan.layers["first"].act.signed


def test_all_calibration_images_decide_a_sign_once(dark_at_the_end, make_source, monkeypatch):
    prepared = dark_at_the_end("static")
    source, example = make_source(prepared), prepared.images.example()
    assert first_sign(make_plan(source.net, prepared.scheme, example)) is False
    assert first_sign(plan_with_signs(prepared.calibration, prepared.scheme, source)) is True
    monkeypatch.setattr(signs, "tensor_minima", None)  # the minima are in the cache
    assert first_sign(plan_with_signs(prepared.calibration, prepared.scheme, source)) is True


def test_signs_of_dynamic_ranges_are_left_as_they_are(dark_at_the_end, make_source, monkeypatch):
    prepared = dark_at_the_end("dynamic")
    source, example = make_source(prepared), prepared.images.example()
    monkeypatch.setattr(signs, "tensor_minima", None)
    plan = plan_with_signs(prepared.calibration, prepared.scheme, source)
    assert plan == make_plan(source.net, prepared.scheme, example)


def test_a_layer_that_clips_negative_values_is_noted_once(dark_at_the_end, make_source):
    prepared = dark_at_the_end("static", scheme__act__signed=False)
    net, example, notes = make_source(prepared).net, prepared.images.example(), ["a line"]
    qnet = quantize(net, make_plan(net, prepared.scheme, example))
    calibrate(qnet, [example])
    with note_signs(qnet, "evaluation", notes), torch.no_grad():
        for images, _ in prepared.images.test():
            qnet(images)
    first, second = notes
    assert first == "a line"
    assert second.startswith("evaluation: first (act): 33.33% of its values are negative")
