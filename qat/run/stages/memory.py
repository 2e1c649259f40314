"""Where the memory of the run's networks goes."""

from qat.records.file_names import PACKED_NAME
from qat.run.memory.planned import run_memory
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def memory_stage(state: RunState) -> StageResult:
    """Plan the memory, write ``memory.json`` and its figures."""
    folder = state.folder.path
    with state.timed("memory"):
        return run_memory(state.prepared, folder, state.net, state.qnet, folder / PACKED_NAME)
