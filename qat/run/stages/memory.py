"""The memory of the run's networks."""

from qat.run.memory.planned import run_memory
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def memory_stage(state: RunState) -> StageResult:
    """Plan the memory; write ``memory.json`` and its figures."""
    with state.stage("memory"):
        request = state.prepared.memory
        images = next(state.prepared.images.first_test_images(request.settings.batch))
        return run_memory(request, images.cpu(), state.net, state.qnet, state.folder.path)
