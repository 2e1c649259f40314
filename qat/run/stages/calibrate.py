"""Calibration: the network is converted, and images decide its ranges."""

from qat.convert.held import hold_ranges
from qat.convert.swap import quantize
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def calibrate_stage(state: RunState) -> StageResult:
    """Convert the float network by the plan, and fix every range; a plan may hold some."""
    prepared = state.prepared
    state.qnet = quantize(state.net, state.plan, keep_norms=prepared.mode.trains)
    with state.stage("calibration"):
        seconds = prepared.calibration.run(state.qnet, state.source.digest)
    if not prepared.mode.trains:
        state.qnet.eval()
    # The seconds in which another run collected statistics from the cache count as well.
    return StageResult(seconds={"calibration": seconds}, warnings=_hold(state))


def _hold(state: RunState) -> list[str]:
    """Replace ranges by those of ``scheme.plan``; a line for each one that cannot be kept."""
    held = state.prepared.held
    if held is None:
        return []
    return [
        f"{name}: the weight scale of the file is raised, so that the bias fits 32 bits"
        for name in hold_ranges(state.quantized, held)
    ]
