"""The packed file: it is written, read back, and compared with the network's outputs."""

from dataclasses import asdict

from torch import Tensor

from qat.export.packed.sizes import size_rows
from qat.records.file_names import PACKED_NAME
from qat.records.side_files.sizes import PartSize, SizesFile
from qat.run.results import sizes
from qat.run.stage_result import StageResult
from qat.run.state import RunState


def pack_stage(state: RunState) -> StageResult:
    """Write and verify the packed file, and write the sizes of its layers."""
    prepared, folder = state.prepared, state.folder.path
    packed, table = folder / PACKED_NAME, folder / SizesFile.NAME
    with state.stage("packing"):
        # Both networks get the same batches, so their size does not change the comparison.
        at_once = prepared.images.at_once_within(prepared.memory.budget_bytes)
        images = prepared.images.first_test_images(prepared.images.test_batch_size, at_once)
        known = _known_logits(state, at_once)
        metrics = sizes(state.quantized, state.net, packed, images, known, state.original.net)
        rows = [PartSize(**asdict(row)) for row in size_rows(state.quantized, packed)]
        SizesFile(tuple(rows)).write(table)
    return StageResult(metrics, files={"packed": packed, "sizes": table})


def _known_logits(state: RunState, at_once: int) -> Tensor | None:
    """The outputs of the evaluation, if its batches begin with those of the verification.

    The last bits of a network's outputs can depend on the size of the batch.
    """
    images = state.prepared.images
    size = min(images.test_batch_size, at_once)
    whole = images.test_batch_size % size == 0 or images.test_batch_size >= len(images.labels)
    return state.logits if whole and images.test().batch_size == size else None
