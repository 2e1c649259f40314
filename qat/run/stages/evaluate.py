"""Evaluation of the quantized network, and a check of the predicted choice of widths."""

from qat.run.outputs import logits_of_test_set
from qat.run.results import comparison
from qat.run.signs import note_signs
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def evaluate_stage(state: RunState) -> StageResult:
    """Evaluate the quantized network on the test set, and compare it with the float network."""
    result = StageResult()
    with state.stage("evaluation"), note_signs(state.quantized, "evaluation", result.warnings):
        state.logits = logits_of_test_set(state.prepared, state.quantized, "evaluation")
    result.metrics = comparison(state.float_logits, state.logits, state.prepared.images.labels)
    return result


def prediction_stage(state: RunState) -> StageResult:
    """In mode mixed: write how widths were chosen, and check the prediction on random plans."""
    chosen, request = state.allocation, state.prepared.mixed
    if chosen is None or request is None:
        return StageResult()
    from qat.run.mixed.files import write_allocation  # imports scipy
    from qat.run.mixed.prediction import check_prediction

    result, check = StageResult(), None
    if request.check.check_plans:
        with state.stage("prediction"):
            check = check_prediction(request, state.source, chosen)
        result = StageResult(check.metrics(), dict(check.absence_reasons))
    allocator = request.allocate.target or request.allocate.name
    result.files = write_allocation(
        state.folder.path, allocator, state.prepared.mode.trains, chosen, check
    )
    return result
