"""Signs of a run: decided by all its calibration images; wrong ones stand in the record."""

import json
from pathlib import Path

import numpy as np

from qat.records.schema import RunRecord
from qat.records.warned import warnings_of, with_warnings

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
