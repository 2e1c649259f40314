"""The pipeline of a run: its stages in their order."""

import torch

from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.run.finish import Outcome, finish
from qat.run.prepared import Prepared
from qat.run.stages.analyse import analyse_stage
from qat.run.stages.calibrate import calibrate_stage
from qat.run.stages.cost import cost_stage
from qat.run.stages.deploy import deploy_stage
from qat.run.stages.evaluate import evaluate_stage, prediction_stage
from qat.run.stages.fit import fit_stage
from qat.run.stages.float import float_figures_stage, float_stage
from qat.run.stages.memory import memory_stage
from qat.run.stages.pack import pack_stage
from qat.run.stages.plan import plan_stage
from qat.run.stages.ptq import ptq_float_stage, ptq_stage
from qat.run.state import RunState

FLOAT = (float_stage, float_figures_stage, cost_stage, memory_stage, deploy_stage)
QUANTIZED = (
    *(float_stage, ptq_float_stage, plan_stage, calibrate_stage, ptq_stage, fit_stage),
    *(evaluate_stage, prediction_stage, pack_stage, cost_stage, analyse_stage),
    *(memory_stage, deploy_stage),
)


def execute(
    prepared: Prepared, folder: RunFolder, record: RunRecord, verbose: bool = True
) -> Outcome:
    """Compute a run; the returned record is not written yet.

    Args:
        prepared: The prepared run.
        folder: The run's folder, locked by the caller.
        record: The run's record of status running; it is written again when the plan is known.
        verbose: Without a terminal, print a line for each stage.
    """
    torch.manual_seed(prepared.seed)
    state = RunState(prepared, folder, record, verbose)
    for stage in QUANTIZED if prepared.mode.quantizes else FLOAT:
        state.take(stage(state))
    return finish(state)
