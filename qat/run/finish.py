"""From the results of all stages to a complete record."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from qat.analysis.rows import TensorRow
from qat.records.divergence import FLOAT, QUANTIZED, divergence
from qat.records.file_names import CONFIG_NAME, HISTORY_NAME
from qat.records.schema import RunRecord
from qat.records.warned import with_warnings
from qat.run.results import unmeasured
from qat.run.state import RunState


@dataclass(frozen=True)
class Outcome:
    """A finished run and its networks, for the pages that show them.

    Attributes:
        record: Complete, not yet written.
        net: The float network.
        qnet: The quantized one; None in mode float.
        layers: What quantization did to each tensor; none in mode float.
    """

    record: RunRecord
    net: nn.Module
    qnet: nn.Module | None
    layers: Sequence[TensorRow] = ()


def finish(state: RunState) -> Outcome:
    """The record of a run whose stages are over, with the digest of each file."""
    prepared, results, folder = state.prepared, state.results, state.folder
    folder_files = {"config": folder.path / CONFIG_NAME, "history": folder.path / HISTORY_NAME}
    files = results.files | {name: file for name, file in folder_files.items() if file.is_file()}
    labelled = prepared.data.test.labelled
    lacking = unmeasured(results.metrics, prepared.data.classes, prepared.mode.name, labelled)
    record = with_warnings(state.record, [*results.warnings, *_diverged(state)]).move_to(
        "done",
        gate=results.gate,
        metrics=results.metrics,
        seconds=results.seconds,
        artifacts={name: folder.artifact(file) for name, file in files.items()},
        unmeasured=lacking | results.not_measured,
    )
    return Outcome(record, state.net, state.qnet, state.layers)


def _diverged(state: RunState) -> list[str]:
    """A line for each training of the run that ended no better than chance."""
    mode, data = state.prepared.mode, state.prepared.data
    trained = {FLOAT: mode.trains_float, QUANTIZED: mode.trains}
    parts = [part for part, was in trained.items() if was]
    return divergence(parts, state.results.metrics, data.classes, len(data.test))
