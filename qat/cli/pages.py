"""A run's pages on TensorBoard."""

from pathlib import Path

from torch import Tensor, nn

from qat.analysis.history import HISTORY_NAME, read_history
from qat.analysis.layers import by_layer
from qat.cli.mixed_figures import allocation_figures
from qat.cli.pipeline import Outcome
from qat.cli.prepare import Prepared
from qat.cli.run_files import deployment_markdown, memory_told, sensitivities_of, told_by
from qat.cli.study_figures import history_figures
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins
from qat.mixed.table import SensitivityTable
from qat.records.schema import RunRecord
from qat.records.side_files import SideFileError
from qat.tables.comparison import comparison_markdown
from qat.tables.render import markdown
from qat.tracking.figures.layers import sqnr_figure
from qat.tracking.figures.memory import memory_figures
from qat.tracking.figures.style import Figure
from qat.tracking.tensorboard import open_events, write_hparams, write_run


def run_figures(record: RunRecord, folder: Path) -> dict[str, Figure]:
    """Figures of what the run's files say: those that are kept in its folder too."""
    try:
        told = told_by(folder, record, "allocation", dict)
        table = told_by(folder, record, "sensitivity", SensitivityTable.from_dict)
    except SideFileError:  # the page's list says which file was skipped
        return {}
    if told is None or table is None:
        return {}
    return allocation_figures(told, table, record.metrics["top1"])


def write_pages(prepared: Prepared, outcome: Outcome) -> None:
    """Write the HPARAMS row, final figures, histograms, SQNR and the comparison."""
    folder = prepared.folder / "tb"
    with open_events(folder) as writer:
        write_hparams(writer, outcome.record)
    rows = by_layer(outcome.layers)
    weights: dict[str, tuple[Tensor, Tensor]] = {}
    if outcome.qnet is not None and prepared.config.tracking.histograms:
        weights = _weights(outcome.net, outcome.qnet)
    figures = {"sqnr": sqnr_figure(rows)} if rows else {}
    figures |= run_figures(outcome.record, prepared.folder)
    figures |= history_figures(read_history(prepared.folder / HISTORY_NAME))
    figures |= memory_figures(memory_told(prepared.folder, outcome.record))
    write_run(
        folder,
        outcome.record,
        comparison_markdown(outcome.record) + _markdown_list(prepared.folder, outcome.record),
        weights=weights,
        sqnr=rows,
        figures=figures,
    )


def _markdown_list(folder: Path, record: RunRecord) -> str:
    """How widths were chosen, what the runtime made of the network, where its memory goes."""
    listed = deployment_markdown(folder, record)
    table = sensitivities_of(folder, record)
    return listed if table is None else f"{listed}\n\n{markdown(table)}"


def _weights(net: nn.Module, qnet: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Layer → float weight, and the weight the quantized network computes with."""
    return {
        name: (_before(net, name, twin).detach(), twin.quantized()[0].detach())
        for name, twin in twins(qnet)
    }


def _before(net: nn.Module, name: str, twin: QuantTwin) -> Tensor:
    if twin.source:  # an integer network's weights have batch norm folded in
        return twin.weight
    return net.get_submodule(name).weight  # type: ignore[return-value]
