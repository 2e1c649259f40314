"""Post-training quantization (PTQ): steps on the float network, and on the calibrated one."""

from torch import nn

from qat.base.progress import tracked
from qat.convert.swap import to_float
from qat.ptq.request import StepRequest
from qat.ptq.sequence import change_quantized
from qat.ptq.work import Work
from qat.records.file_names import CHECKPOINTS
from qat.records.side_files.ptq import PtqFile
from qat.run.float_network import FloatNetwork
from qat.run.ptq import PtqMeasurement, step_images
from qat.run.request.ptq import PtqRequest
from qat.run.stage_result import StageResult
from qat.run.state import RunState

FOLDER = "ptq"
"""Folder of finished layers, inside the folder of checkpoints."""


def ptq_float_stage(state: RunState) -> StageResult:
    """Change the float network that is quantized; the original stays for every comparison."""
    request = state.prepared.ptq
    if request is None or not request.float_steps:
        return StageResult()
    with state.stage("ptq"):
        measurement = PtqMeasurement(state, request, step_images(request))

        def report(step: StepRequest, seconds: float, net: nn.Module) -> None:
            measurement.note(step, "float", net, seconds)

        work = request.changed(state.net, report)
        state.unchanged = state.source
        state.source = FloatNetwork(work.net, request.changed_digest(state.original.digest))
        state.statistics = work.statistics
    return StageResult()


def ptq_stage(state: RunState) -> StageResult:
    """Run the steps on the calibrated network, and write what each step cost and brought."""
    request = state.prepared.ptq
    if request is None:
        return StageResult()
    with state.stage("ptq"):
        file = _change(state, request)
        path = state.folder.path / PtqFile.NAME
        file.write(path)
    return StageResult(files={PtqFile.ARTIFACT: path})


def _change(state: RunState, request: PtqRequest) -> PtqFile:
    images, qnet = step_images(request), state.quantized
    measurement = PtqMeasurement(state, request, images)
    measurement.note(None, "quantized", qnet, 0.0)
    work = Work(
        qnet,
        to_float(qnet),
        images,
        state.folder.path / CHECKPOINTS / FOLDER,
        request.budget_bytes,
        request.seed,
        state.statistics,
        tracked,
    )

    def report(step: StepRequest, seconds: float) -> None:
        measurement.note(step, "quantized", qnet, seconds)

    change_quantized(work, request.quantized_steps, report)
    return measurement.file()
