"""The quantized network on the test set, and whether the choice of widths was well predicted."""

from qat.config.modes import trains
from qat.run.mixed.files import write_allocation
from qat.run.mixed.prediction import check_prediction
from qat.run.outputs import logits_of_test_set
from qat.run.results import compared
from qat.run.signs import noted_signs
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def evaluate_stage(state: RunState) -> StageResult:
    """Accuracies, held against those of the float network."""
    result = StageResult()
    with state.timed("evaluation"), noted_signs(state.quantized, "evaluation", result.warnings):
        state.logits = logits_of_test_set(state.prepared, state.quantized, "evaluation")
    result.metrics = compared(state.float_logits, state.logits, state.labels)
    return result


def prediction_stage(state: RunState) -> StageResult:
    """In mode mixed: keep how widths were chosen, and hold the prediction against random plans."""
    chosen, config = state.allocation, state.prepared.config
    if chosen is None:
        return StageResult()
    result, check = StageResult(), None
    if config.mixed.check_plans:
        with state.timed("prediction"):
            check = check_prediction(state.prepared, state.net, state.float_digest, chosen)
        result = StageResult(check.metrics(), dict(check.lacks))
    result.files = write_allocation(
        state.folder.path, config.allocate.name, trains(config), chosen, check
    )
    return result
