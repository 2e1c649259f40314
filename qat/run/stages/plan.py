"""The plan of the quantized network: from the scheme, with chosen widths, or from a file."""

from qat.convert.rules import with_signs
from qat.records.file_names import PLAN_NAME
from qat.run.signs import plan_with_signs
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def plan_stage(state: RunState) -> StageResult:
    """Make the plan of the whole run, and write it into the record before it is used."""
    prepared, result = state.prepared, StageResult()
    assert prepared.scheme is not None
    if prepared.mixed is not None:
        from qat.run.mixed.allocation import choose_plan  # imports scipy
        from qat.run.noted import noted_warnings

        with state.stage("allocation"), noted_warnings("allocation", result.warnings):
            chosen = choose_plan(prepared.mixed, state.source)
        result.metrics["predicted_harm"] = chosen.problem.harm(chosen.bits)
        state.allocation, state.plan = chosen, chosen.plan
    elif prepared.held is not None:
        state.plan = with_signs(prepared.held.plan, state.net, prepared.images.example())
    else:
        with state.stage("signs"):
            state.plan = plan_with_signs(prepared.calibration, prepared.scheme, state.source)
    path = state.folder.path / PLAN_NAME
    state.plan.save(path)
    state.record = state.record.move_to("running", plan=state.plan.to_dict())
    state.folder.write(state.record)
    result.files["plan"] = path
    return result
