"""The record of a run whose stages have ended."""

import hashlib

from qat.records.warned import warnings_of
from qat.run.finish import finish


def test_metrics_files_and_reasons_stand_in_the_record(make_quantized_state):
    state = make_quantized_state()
    packed = state.folder.path / "packed.safetensors"
    packed.write_bytes(b"codes")
    state.results.metrics = {"top1": 0.75, "float_top1": 1.0, "top1_drop": 0.25}
    state.results.not_measured = {"latency_ms": "export=none"}
    state.results.files, state.results.gate = {"packed": packed}, "passed"
    state.results.seconds = {"evaluation": 0.5}
    outcome = finish(state)
    record = outcome.record
    assert (record.status, record.gate, record.metrics["top1"]) == ("done", "passed", 0.75)
    assert record.seconds == {"evaluation": 0.5}
    artifact = record.artifacts["packed"]
    assert (artifact.path, artifact.bytes) == ("packed.safetensors", 5)
    assert artifact.sha256 == hashlib.sha256(b"codes").hexdigest()
    assert record.unmeasured["latency_ms"] == "export=none"
    assert record.unmeasured["top5"] == "the data has 3 classes"
    assert (outcome.net, outcome.qnet) == (state.net, state.qnet)


def test_configuration_and_history_are_artifacts_if_they_are_there(make_state):
    state = make_state("float")
    assert finish(state).record.artifacts == {}
    (state.folder.path / "config.yaml").write_text("mode: float\n")
    assert list(finish(state).record.artifacts) == ["config"]


def test_a_training_at_chance_is_a_warning(make_state):
    state = make_state("float")
    state.results.warnings, state.results.metrics = ["a line"], {"float_top1": 1 / 3}
    first, second = warnings_of(finish(state).record)
    assert first == "a line"
    assert second.startswith("float training diverged: top-1 33.3% is that of chance")
    state.results.metrics = {"float_top1": 1.0}
    assert warnings_of(finish(state).record) == ["a line"]
