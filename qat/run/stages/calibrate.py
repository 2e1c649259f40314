"""Calibration: the network converted, its ranges taken from images."""

from qat.config.modes import trains
from qat.convert.swap import quantize
from qat.run.calibration import calibrate_run
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def calibrate_stage(state: RunState) -> StageResult:
    """Convert the float network by the plan, and fix every range."""
    prepared = state.prepared
    state.qnet = quantize(state.net, state.plan, keep_norms=trains(prepared.config))
    with state.timed("calibration"):
        seconds = calibrate_run(prepared, state.qnet, state.float_digest)
    if not trains(prepared.config):
        state.qnet.eval()
    # Seconds that another run has spent on statistics that this one found made count as well.
    return StageResult(seconds={"calibration": seconds})
