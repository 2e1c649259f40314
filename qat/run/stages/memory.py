"""The memory of the run's networks."""

from qat.run.memory.planned import run_memory
from qat.run.memory.shared import memory_key, shared_memory
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def memory_stage(state: RunState) -> StageResult:
    """Plan the memory; write ``memory.json`` and its figures."""
    folder = state.folder.path
    with state.stage("memory"):
        request = state.prepared.memory
        images = next(state.prepared.images.first_test_images(request.settings.batch)).cpu()
        return shared_memory(
            memory_key(state, tuple(images.shape[1:])),
            folder,
            lambda: run_memory(request, images, state.original.net, state.qnet, folder),
        )
