"""Steps before the plan and after calibration, in a whole run."""

import copy

import pytest
import torch
from torch import nn

from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.side_files.ptq import PtqFile
from qat.run.pipeline import execute
from qat.run.stage_result import StageResult
from qat.run.stages.ptq import ptq_float_stage, ptq_stage

STEPS = ["fold", "equalize", "nearest", "bias_correction"]


def executed(prepared):
    folder = RunFolder(prepared.folder).create()
    record = RunRecord(prepared.id, "running", prepared.mode.name, prepared.seed)
    with folder.lock():
        return execute(prepared, folder, record, verbose=False)


def test_without_steps_networks_stay_as_they_are(make_quantized_state):
    state = make_quantized_state()
    qnet, source = state.qnet, state.source
    assert ptq_float_stage(state) == ptq_stage(state) == StageResult()
    assert state.qnet is qnet
    assert state.source is state.original is source


def test_float_steps_change_what_is_quantized_and_not_the_original(make_state):
    state = make_state(ptq=["fold", "bias_correction"])
    source, logits = state.source, state.float_logits
    before = copy.deepcopy(source.net.state_dict())
    assert ptq_float_stage(state) == StageResult()
    assert state.original is source
    assert state.float_logits is logits
    assert all(torch.equal(v, source.net.state_dict()[k]) for k, v in before.items())
    assert isinstance(state.net.norm, nn.Identity)
    assert state.source.digest.startswith(f"{source.digest}+ptq:")
    assert state.statistics.keys() == {"first"}
    assert [row.step for row in state.ptq_rows] == ["fold"]


@pytest.mark.parametrize(
    ("mode", "placement"),
    [("static", "academic"), ("static", "integer"), ("qat", "integer"), ("mixed", "academic")],
)
def test_every_mode_with_fixed_ranges_runs_all_steps(make_prepared, mode, placement):
    plain = make_prepared(mode, scheme__placement=placement, export__onnx="never")
    prepared = make_prepared(
        mode, scheme__placement=placement, export__onnx="never", ptq=STEPS, ptq_options__images=8
    )
    assert prepared.id != plain.id
    before, outcome = executed(plain).record, executed(prepared).record
    path = prepared.folder / PtqFile.NAME
    file = PtqFile.read(path)
    assert [(row.step, row.network) for row in file.rows] == [
        ("fold", "float"),
        ("equalize", "float"),
        ("calibrated", "quantized"),
        ("nearest", "quantized"),
        ("bias_correction", "quantized"),
    ]
    assert min(row.logit_sqnr_db or 300 for row in file.rows[:2]) > 80
    assert outcome.artifacts["ptq"].path == PtqFile.NAME
    for name in ("float_top1", "float_loss", "float_bytes"):  # of the original network
        assert outcome.metrics[name] == before.metrics[name]
    assert outcome.protocol["float"] == before.protocol["float"]
    assert outcome.protocol["ptq"]["steps"] == ", ".join(STEPS)
    assert outcome.seconds["ptq"] > 0


def test_an_interrupted_run_repeats_no_finished_layer_and_ends_equal(make_prepared, monkeypatch):
    steps = ["fold", "nearest", "bias_correction"]

    def prepared_in(seed_folder):
        prepared = make_prepared(ptq=steps, ptq_options__images=8, export__onnx="never")
        object.__setattr__(prepared, "folder", prepared.folder.with_name(seed_folder))
        return prepared

    from qat.ptq import bias_correction

    whole = executed(prepared_in("whole"))
    own, seen = bias_correction.mean_error, []

    def dies(layer, work):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(layer.name)
        return own(layer, work)

    monkeypatch.setattr(bias_correction, "mean_error", dies)
    with pytest.raises(KeyboardInterrupt):
        executed(prepared_in("broken"))
    assert seen == ["first", "second"]

    def counted(layer, work):
        seen.append(layer.name)
        return own(layer, work)

    monkeypatch.setattr(bias_correction, "mean_error", counted)
    again = executed(prepared_in("broken"))
    assert seen == ["first", "second", "head"]
    state, expected = again.qnet.state_dict(), whole.qnet.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key]) for key in state)
    assert again.record.metrics["loss"] == whole.record.metrics["loss"]


def test_statistics_of_the_original_network_are_not_mixed_with_the_changed_ones(make_prepared):
    plain, folded = executed(make_prepared()), executed(make_prepared(ptq=["fold", "equalize"]))
    again = executed(make_prepared(force=True))
    assert again.record.metrics["loss"] == plain.record.metrics["loss"]
    scales = [
        run.qnet.second.input_quantizer.qparams().scale.item() for run in (plain, again, folded)
    ]
    assert scales[0] == scales[1] != scales[2]
