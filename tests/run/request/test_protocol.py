"""The protocol of a run."""

import json

import numpy as np
import pytest

from qat.config.schema import RuleConfig
from qat.records.schema import RunRecord
from qat.run.request.protocol import protocol
from qat.tables.columns import setting_text
from qat.tables.replication import PATHS

PARTS = {"data", "float", "evaluation"}


@pytest.mark.parametrize(
    ("mode", "parts"),
    [
        ("float", PARTS),
        ("dynamic", PARTS),
        ("static", PARTS | {"calibration"}),
        ("qat", PARTS | {"calibration", "training"}),
        ("mixed", PARTS | {"calibration", "allocation"}),
    ],
)
def test_a_mode_has_its_parts_as_plain_data(make_prepared, mode, parts):
    prepared = make_prepared(mode)
    fields = protocol(prepared.config, prepared.mode, prepared.keys)
    assert fields.keys() == parts
    assert json.loads(json.dumps(fields)) == fields == prepared.protocol


def test_conditions_of_published_numbers_are_found(make_prepared):
    prepared = make_prepared("qat")
    record = RunRecord(id="a", status="done", mode="qat", seed=0, protocol=prepared.protocol)
    epochs = str(prepared.config.trainer.max_epochs)
    found = {name: setting_text(record, path) for name, path in PATHS.items()}
    assert found == {"epochs": epochs, "first_last": "8"}


def test_data_are_told_by_their_counts(make_prepared):
    data = make_prepared().protocol["data"]
    assert (data["train_images"], data["val_images"], data["test_images"]) == (15, 3, 12)
    assert data["images_per_class"]["test"] == "class 0 4, class 1 4, class 2 4"


def test_calibration_images_are_no_more_than_there_are(make_prepared, tmp_path):
    few = make_prepared(calibrate__images=100).protocol["calibration"]
    assert few == {"split": "train", "images": 15}
    np.savez(tmp_path / "own.npz", images=np.zeros((3, 8, 8, 3), np.uint8))
    own = make_prepared(calibrate__path=str(tmp_path / "own.npz")).protocol["calibration"]
    assert (own["split"], own["images"]) == ("calibrate.path", 3)
    assert len(own["digest"]) == 64


def test_the_batch_size_counts_only_where_ranges_are_those_of_a_batch(make_prepared):
    assert make_prepared("dynamic").protocol["evaluation"]["batch_size"] == 5
    assert "batch_size" not in make_prepared("static").protocol["evaluation"]


def test_rules_are_told_in_short(make_prepared):
    rules = [
        RuleConfig("kind:first", {"bits": 8}, {"format": "fp16"}),
        RuleConfig("head", keep_float=True),
    ]
    evaluation = make_prepared(scheme__rules=rules).protocol["evaluation"]
    assert evaluation["rules"] == "kind:first W8Afp16; head float"


def test_the_choice_of_widths_and_the_training(make_prepared):
    allocation = make_prepared("mixed", allocate__bops=1e6).protocol["allocation"]
    assert (allocation["allocator"], allocation["metric"]) == ("ilp", "weight_mse")
    assert allocation["budgets"] == {"bops": 1e6}
    assert allocation["images"] == {"split": "train", "images": 8, "drawn_by": 0}
    training = make_prepared("qat", trainer__keep="last").protocol["training"]
    assert (training["max_epochs"], training["chosen_by"]) == (2, "last epoch")
    floating = make_prepared("qat").protocol["float"]
    assert floating["chosen_by"] == "best of the validation split"
    assert floating["model"]["name"] == "Small"
