"""Calibration: the network is converted, and images decide its ranges."""

from qat.convert.swap import quantize
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def calibrate_stage(state: RunState) -> StageResult:
    """Convert the float network by the plan, and fix every range."""
    prepared = state.prepared
    state.qnet = quantize(state.net, state.plan, keep_norms=prepared.mode.trains)
    with state.stage("calibration"):
        seconds = prepared.calibration.run(state.qnet, state.source.digest)
    if not prepared.mode.trains:
        state.qnet.eval()
    # The seconds in which another run collected statistics from the cache count as well.
    return StageResult(seconds={"calibration": seconds})
