"""The effect of quantization on each tensor of the network."""

import math
from collections.abc import Iterator
from dataclasses import asdict

from torch import Tensor

from qat.analysis.compare import compared_rows
from qat.analysis.rows import TensorRow
from qat.records.side_files.layers import LayersFile, LayerTensor
from qat.run.stage_result import StageResult
from qat.run.state import RunState

LAYER_IMAGES = 64
"""Number of test images on which the tensors are compared."""


def analyse_stage(state: RunState) -> StageResult:
    """Compare every tensor with its float counterpart, and write ``layers.json``."""
    prepared, path = state.prepared, state.folder.path / LayersFile.NAME
    at_once = max(1, prepared.images.at_once // 4)  # many outputs of a batch stay in memory
    budget_bytes = prepared.memory.budget_bytes

    def images() -> Iterator[Tensor]:
        return prepared.images.first_test_images(LAYER_IMAGES, at_once)

    with state.stage("analysis"):
        state.layers = compared_rows(state.net, state.quantized, state.plan, images, budget_bytes)
        LayersFile(tuple(map(_stored, state.layers))).write(path)
    return StageResult(files={"layers": path})


def _stored(row: TensorRow) -> LayerTensor:
    """The row in the form of the file: a number that is infinite or NaN becomes None."""
    values = asdict(row)
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            values[name] = None
    return LayerTensor(**values)
