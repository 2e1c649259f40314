"""Inner shapes of a record: a wrong type anywhere is named by its place."""

import pytest

from qat.records.schema import RecordError, RunRecord
from qat.records.shapes import is_id, is_inside

SPEC = {"bits": 4, "format": "int", "symmetric": True, "signed": True, "granularity": "channel"}
METHODS = {"quantizer": {"name": "minmax", "options": {}}, "observer": {"name": "ema"}}
LAYER = {"kind": "Conv2d", "weight": SPEC | METHODS, "act": SPEC | METHODS}
WHOLE = {
    "schema_version": 1,
    "id": "abc",
    "status": "done",
    "mode": "static",
    "seed": 0,
    "overrides": ["seed=0"],
    "protocol": {"training": {"max_epochs": 3}, "allocation": {"budgets": {"bops": 1.5}}},
    "plan": {
        "placement": "academic",
        "left_float": [["norm", "LayerNorm"]],
        "layers": {"a": LAYER},
    },
    "artifacts": {"packed": {"path": "packed.bin", "bytes": 3, "sha256": "0a" * 32}},
    "seconds": {"float": 1.5},
    "unmeasured": {"latency_ms": "why"},
    "metrics": {"top1": 0.5},
}


def changed(path, value):
    """The whole record with one value put in its place."""
    head, *rest = path.split("/")
    if not rest:
        return {**WHOLE, head: value}
    data = WHOLE[head]
    copy = {**WHOLE, head: {**data}}
    inner = copy[head]
    for key in rest[:-1]:
        inner[key] = {**inner[key]}
        inner = inner[key]
    inner[rest[-1]] = value
    return copy


def test_the_whole_record_is_one():
    assert RunRecord.from_dict(WHOLE).artifacts["packed"].bytes == 3


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "../other"),
        ("id", ""),
        ("id", "a\x1b[31m"),
        ("id", 7),
        ("error", 3),
        ("study", ["a"]),
        ("overrides", "seed=0"),
        ("overrides", [1]),
        ("protocol", [1]),
        ("protocol/data", "fashion"),
        ("protocol/training/max_epochs", "three"),
        ("protocol/allocation/budgets", [4]),
        ("protocol/allocation/budgets/bops", "many"),
        ("plan", []),
        ("plan/layers", [LAYER]),
        ("plan/layers/a", None),
        ("plan/layers/a/weight", "int4"),
        ("plan/layers/a/weight/bits", "4"),
        ("plan/layers/a/weight/bits", True),
        ("plan/layers/a/weight/bits", 10**30),
        ("plan/layers/a/act/symmetric", "yes"),
        ("plan/layers/a/act/quantizer", "minmax"),
        ("plan/layers/a/act/quantizer", {"options": {}}),
        ("plan/layers/a/act/observer/name", {}),
        ("plan/placement", 1),
        ("plan/left_float", [["norm"]]),
        ("plan/tensors", {"x": 1}),
        ("environment", None),
        ("artifacts", ["packed"]),
        ("artifacts/packed", None),
        ("artifacts/packed/path", "../../secret"),
        ("artifacts/packed/path", "/etc/passwd"),
        ("artifacts/packed/bytes", -1),
        ("artifacts/packed/sha256", "0a"),
        ("seconds/float", "1 s"),
        ("unmeasured/latency_ms", None),
        ("metrics/top1", "0.5"),
        ("metrics/top1", 10**400),
    ],
)
def test_a_wrong_type_is_named_by_its_place(path, value):
    with pytest.raises(RecordError, match=path.split("/")[-1].split("_")[0]):
        RunRecord.from_dict(changed(path, value))


def test_a_layer_without_a_slot_is_named():
    layer = {"kind": "Conv2d", "weight": SPEC}
    with pytest.raises(RecordError, match=r"plan\.layers\.a has no act"):
        RunRecord.from_dict(changed("plan/layers/a", layer))


def test_names_and_paths():
    assert is_id("0123456789ab")
    assert not any(map(is_id, ("", ".", "..", ".hidden", "a/b", "a b", "x" * 101, "a\n")))
    assert is_inside("figures/front.png")
    assert not any(map(is_inside, ("", "/a", "..", "a/../../b", "a\0b")))
