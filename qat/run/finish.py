"""The complete record of a run, from the results of all its stages."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from qat.analysis.rows import TensorRow
from qat.records.divergence import FLOAT, QUANTIZED, divergence
from qat.records.file_names import CONFIG_NAME, HISTORY_NAME
from qat.records.schema import RunRecord
from qat.records.warned import with_warnings
from qat.run.results import absence_reasons
from qat.run.state import RunState


@dataclass(frozen=True)
class Outcome:
    """A finished run and its networks, for the pages that show them.

    Attributes:
        record: The complete record; it is not written yet.
        net: The float network.
        qnet: The quantized network; None in mode float.
        layers: Effect of quantization on each tensor; empty in mode float.
    """

    record: RunRecord
    net: nn.Module
    qnet: nn.Module | None
    layers: Sequence[TensorRow] = ()


def finish(state: RunState) -> Outcome:
    """Complete the record of a run whose stages have ended, with the digest of each file."""
    prepared, results, folder = state.prepared, state.results, state.folder
    folder_files = {"config": folder.path / CONFIG_NAME, "history": folder.path / HISTORY_NAME}
    files = results.files | {name: file for name, file in folder_files.items() if file.is_file()}
    labelled = prepared.data.test.labelled
    reasons = absence_reasons(results.metrics, prepared.data.classes, prepared.mode.name, labelled)
    record = with_warnings(state.record, [*results.warnings, *_divergence_lines(state)]).move_to(
        "done",
        gate=results.gate,
        metrics=results.metrics,
        seconds=results.seconds,
        artifacts={name: folder.artifact(file) for name, file in files.items()},
        unmeasured=reasons | results.not_measured,
    )
    return Outcome(record, state.net, state.qnet, state.layers)


def _divergence_lines(state: RunState) -> list[str]:
    """One line for each training whose accuracy is no better than chance."""
    mode, data = state.prepared.mode, state.prepared.data
    trains = {FLOAT: mode.trains_float, QUANTIZED: mode.trains}
    parts = [part for part, is_trained in trains.items() if is_trained]
    return divergence(parts, state.results.metrics, data.classes, len(data.test))
