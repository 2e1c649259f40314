"""Run records: fields, rules, ids, migrations."""

import hashlib
import json
from dataclasses import fields

import pytest

from qat.records.schema import (
    SCHEMA_VERSION,
    Artifact,
    RecordError,
    RunRecord,
    migrate,
    run_id,
)

CONTRACT = {
    *("id", "status", "mode", "seed", "error", "gate", "study", "overrides", "protocol", "plan"),
    *("environment", "artifacts", "seconds", "unmeasured", "metrics", "schema_version"),
}


def record(**changes):
    return RunRecord(
        **{"id": "0123456789ab", "status": "done", "mode": "static", "seed": 0} | changes
    )


def test_the_fields_are_the_contract():
    assert {f.name for f in fields(RunRecord)} == CONTRACT


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(True, "float or an int", id="bool"),
        pytest.param("0.9", "float or an int", id="text"),
        pytest.param({"mean": 1.0}, "float or an int", id="nested"),
        pytest.param(float("nan"), "unmeasured", id="nan"),
        pytest.param(float("-inf"), "unmeasured", id="inf"),
    ],
)
def test_a_metric_is_a_finite_number(value, words):
    with pytest.raises(RecordError, match=f"(?s)'top1'.*{words}") as error:
        record(metrics={"top1": value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"status": "finished"}, "status must be one of running", id="status"),
        pytest.param({"mode": "int8"}, "mode must be one of float", id="mode"),
        pytest.param({"gate": "open"}, "gate must be one of", id="gate"),
        pytest.param({"seed": "0"}, "seed must be an int", id="seed"),
        pytest.param({"protocol": {"dat": {}}}, "protocol part must be one of", id="part"),
        pytest.param({"metrics": [1]}, "metrics must be a mapping", id="metrics"),
        pytest.param(
            {"status": "failed"}, "error and status failed must be set together", id="no error"
        ),
        pytest.param(
            {"error": "boom"}, "error and status failed must be set together", id="stray error"
        ),
        pytest.param(
            {"metrics": {"loss": 1.0}, "unmeasured": {"loss": "?"}}, "both in metrics", id="both"
        ),
    ],
)
def test_a_wrong_field_is_named(changes, words):
    with pytest.raises(RecordError, match=words):
        record(**changes)


def test_data_and_back():
    full = record(
        overrides=("scheme=w4a4", "seed=1"),
        protocol={"data": {"name": "fashion_mini"}},
        artifacts={"packed": Artifact("packed.safetensors", 12, "ab" * 32)},
        metrics={"top1": 0.8812, "macs": 1234},
        unmeasured={"latency_ms": "no runtime"},
    )
    assert RunRecord.from_dict(json.loads(json.dumps(full.to_dict()))) == full


def test_a_run_starts_ends_and_is_measured_again():
    running = record(status="running")
    done = running.move_to("done", metrics={"top1": 0.5})
    assert done.move_to("done", metrics={**done.metrics, "latency_ms": 1.0}).status == "done"
    failed = running.move_to("failed", error="ValueError: boom")
    again = failed.move_to("running")
    assert again.error is None
    assert again.status == "running"


@pytest.mark.parametrize(
    ("start", "goal"), [("done", "running"), ("done", "failed"), ("failed", "done")]
)
def test_a_status_that_cannot_follow_is_refused(start, goal):
    first = record(status=start, error="boom" if start == "failed" else None)
    with pytest.raises(RecordError, match=f"is {start} and cannot become {goal}"):
        first.move_to(goal)


@pytest.mark.parametrize("version", [None, "1", True])
def test_foreign_data_is_told(version):
    with pytest.raises(RecordError, match="not a run record"):
        RunRecord.from_dict({"schema_version": version, "id": "x"})


@pytest.mark.parametrize("extra", [{"colour": 1}, {}])
def test_unknown_and_missing_fields_are_told(extra):
    with pytest.raises(RecordError, match="not a run record"):
        RunRecord.from_dict({"schema_version": SCHEMA_VERSION, "id": "x", **extra})


def test_a_newer_schema_is_refused():
    with pytest.raises(RecordError, match=f"newer than this program's {SCHEMA_VERSION}: update"):
        RunRecord.from_dict({"schema_version": SCHEMA_VERSION + 1})


def test_an_older_schema_goes_up_step_by_step():
    steps = {1: lambda d: d | {"trail": [1]}, 2: lambda d: d | {"trail": [*d["trail"], 2]}}
    old = {"schema_version": 1}
    assert migrate(old, to=3, steps=steps) == {"schema_version": 3, "trail": [1, 2]}
    assert old == {"schema_version": 1}
    with pytest.raises(RecordError, match="schema 0 cannot be read any more; oldest: 1"):
        migrate({"schema_version": 0}, to=3, steps=steps)
    with pytest.raises(RecordError, match="schema 0 cannot be read any more; oldest: 3"):
        migrate({"schema_version": 0}, to=3, steps={})


def test_an_id_is_the_digest_of_canonical_json():
    by_hand = b'{"checkpoint":null,"data":"d1","numerics_version":7,"settings":{"a":1,"b":[2]}}'
    expected = hashlib.sha256(by_hand).hexdigest()[:12]
    assert run_id({"b": [2], "a": 1}, "d1", None, 7) == expected


def test_everything_in_an_id_counts():
    base = ({"a": 1}, "d", "c", 1)
    others = [({"a": 2}, "d", "c", 1), ({"a": 1}, "e", "c", 1), ({"a": 1}, "d", None, 1),
              ({"a": 1}, "d", "c", 2)]  # fmt: skip
    assert len({run_id(*arguments) for arguments in [base, *others]}) == 5


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_an_id_takes_only_plain_finite_data(value):
    with pytest.raises(ValueError, match="plain finite data"):
        run_id({"lr": value}, None, None)
