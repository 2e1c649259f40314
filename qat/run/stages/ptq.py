"""Post-training quantization (PTQ) methods between calibration and training: none yet."""

from qat.run.stage_result import StageResult
from qat.run.state import RunState


def ptq_stage(state: RunState) -> StageResult:
    """The place of methods that correct a calibrated network without training it."""
    return StageResult()
