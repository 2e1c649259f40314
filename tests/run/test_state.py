"""The state of a run while it is computed."""

from contextlib import nullcontext

import pytest

from qat.records.stage import noted_stage
from qat.run import state as states
from qat.run.stage_result import StageResult


def test_a_stages_protocol_enters_the_record_at_once(make_state):
    state = make_state()
    state.take(StageResult({"top1": 0.5}, protocol={"float": {"checkpoint_digest": "d"}}))
    state.take(StageResult(protocol={"float": {"seed": 1}}))
    assert state.record.protocol == {"float": {"checkpoint_digest": "d", "seed": 1}}
    assert state.results.metrics == {"top1": 0.5}
    assert state.record.status == "running"


def test_times_of_a_stage_are_added(make_state, monkeypatch):
    state, times = make_state(), iter((10.0, 12.0, 20.0, 23.5))
    monkeypatch.setattr(states.time, "perf_counter", lambda: next(times))
    monkeypatch.setattr(states, "shown_stage", lambda *_: nullcontext())
    for _ in range(2):
        with state.stage("evaluation"):
            pass
    assert state.results.seconds == {"evaluation": 2 + 3.5}


def test_the_running_stage_is_noted_in_the_folder(make_state):
    state = make_state()
    with state.stage("packing"):
        assert noted_stage(state.folder.path).name == "packing"


def test_no_quantized_network_before_calibration(make_state):
    with pytest.raises(AssertionError):
        _ = make_state().quantized
