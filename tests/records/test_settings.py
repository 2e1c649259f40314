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


def test_settings_of_aids_that_are_off_are_left_out():
    off = {"freeze_first": None, "freeze_last": 0.01, "freeze_momentum": 0.01}
    on = off | {"freeze_first": 0.1}
    distill = {"weight": 0.0, "temperature": 4.0, "features": ["layer1"], "feature_weight": 1.0}
    for aids, kept in ((off, {}), (on, on)):
        training = {"aids": {"dampening": 0.1, **aids}, "distill": distill}
        record = RunRecord("a", "done", "qat", 0, protocol={"training": training})
        settings = record_settings(record)
        told = {k: v for k, v in settings.items() if k.startswith(("aids", "distill"))}
        expected = {f"aids.{name}": value for name, value in {"dampening": 0.1, **kept}.items()}
        distilled = {f"distill.{k}": v for k, v in distill.items() if k != "temperature"}
        assert told == expected | distilled
