"""The plan: the scheme's, with what all calibration images say; or chosen widths (mode mixed)."""

from qat.records.file_names import PLAN_NAME
from qat.run.mixed.allocation import choose_plan
from qat.run.signs import decided_plan
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def plan_stage(state: RunState) -> StageResult:
    """Make the plan, once for the whole run, and keep it in the record before it is followed."""
    prepared, result = state.prepared, StageResult()
    assert prepared.scheme is not None
    if prepared.mixed is not None:
        with state.timed("allocation"):
            chosen = choose_plan(prepared.mixed, state.source)
        result.metrics["predicted_harm"] = chosen.problem.harm(chosen.bits)
        state.allocation, state.plan = chosen, chosen.plan
    else:
        with state.timed("signs"):
            state.plan = decided_plan(prepared.calibration, prepared.scheme, state.source)
    path = state.folder.path / PLAN_NAME
    state.plan.save(path)
    state.record = state.record.move_to("running", plan=state.plan.to_dict())
    state.folder.write(state.record)
    result.files["plan"] = path
    return result
