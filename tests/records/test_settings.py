"""Settings by the key that sets each, from a record made by hand."""

from qat.records.schema import RunRecord
from qat.records.settings import flat, record_settings, slot_settings

SPEC = {
    "format": "int",
    "bits": 4,
    "symmetric": True,
    "signed": False,
    "granularity": "group",
    "group_size": 32,
    "quantizer": {"name": "lsq", "options": {"gain": 2}},
    "observer": {"name": "percentile", "options": {"percent": 99.9}},
}


def test_leaves_of_nested_mappings_have_dotted_paths():
    assert list(flat({"a": {"b": 1, "c": {"d": [2]}}, "e": None})) == [
        ("a.b", 1),
        ("a.c.d", [2]),
        ("e", None),
    ]


def test_a_slot_has_its_grid_and_its_methods():
    assert slot_settings("scheme.act", SPEC) == {
        "scheme.act.symmetric": True,
        "scheme.act.signed": False,
        "scheme.act.narrow": None,
        "scheme.act.scale": None,
        "scheme.act.granularity": "group32",
        "scheme.act.quantizer": "lsq",
        "scheme.act.options.gain": 2,
        "scheme.act.observer": "percentile",
        "scheme.act.observer_options.percent": 99.9,
    }
    assert slot_settings("scheme.act", {}) == slot_settings("scheme.act", {"format": "fp16"}) == {}


def test_parts_of_the_protocol_go_under_the_keys_of_the_command_line():
    record = RunRecord(
        id="a",
        status="done",
        mode="qat",
        seed=0,
        protocol={
            "data": {"name": "cifar10", "digest": "ab", "mean": [0.5]},
            "training": {
                "max_epochs": 3,
                "optimizer": {"lr": 0.1},
                "chosen_by": "best of the validation split",
            },
            "calibration": {"images": 64, "device": "cpu"},
        },
    )
    assert record_settings(record) == {
        "data.name": "cifar10",
        "trainer.max_epochs": 3,
        "optimizer.lr": 0.1,
        "trainer.keep": "best",
        "calibrate.images": 64,
    }
