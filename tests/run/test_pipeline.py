"""The pipeline: the stages of each mode, and what it hands on."""

import torch

from qat.run import pipeline
from qat.run.stage_result import StageResult


def test_a_run_is_the_results_of_its_stages(make_state, monkeypatch):
    state, draws = make_state("float"), []

    def first(state):
        draws.append(float(torch.rand(())))
        state.source, state.float_logits = source, logits
        return StageResult({"top1": 0.25}, protocol={"float": {"checkpoint_digest": "d"}})

    def second(state):
        return StageResult({"loss": 1.5, "top1": 0.5}, warnings=["a line"])

    source, logits = state.source, state.float_logits
    monkeypatch.setattr(pipeline, "FLOAT", (first, second))
    for _ in range(2):
        outcome = pipeline.execute(state.prepared, state.folder, state.record, verbose=False)
    assert dict(outcome.record.metrics) == {"top1": 0.5, "loss": 1.5}
    assert outcome.record.protocol == {"float": {"checkpoint_digest": "d"}}
    assert outcome.record.status == "done"
    assert outcome.net is source.net
    torch.manual_seed(state.prepared.seed)  # each run starts from its seed
    assert draws == [float(torch.rand(()))] * 2


def test_a_network_is_measured_only_after_it_is_calibrated_and_trained():
    names = [stage.__name__.removesuffix("_stage") for stage in pipeline.QUANTIZED]
    before = ["float", "ptq_float", "plan", "calibrate", "ptq", "fit"]
    assert names[:7] == [*before, "evaluate"]
    assert set(names[7:]) == {"prediction", "pack", "cost", "analyse", "memory", "deploy"}
    assert names.index("pack") < names.index("memory")  # which reads the packed file
    assert not {"plan", "calibrate", "fit", "pack"} & {s.__name__[:-6] for s in pipeline.FLOAT}
