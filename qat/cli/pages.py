"""A run's pages on TensorBoard."""

from pathlib import Path

from torch import Tensor, nn

from qat.analysis.history import HISTORY_NAME, read_history
from qat.analysis.layers import by_layer
from qat.cli.memory_lines import memory_lines, memory_markdown, memory_told
from qat.cli.pipeline import Outcome
from qat.cli.prepare import Prepared
from qat.cli.runtime_lines import latency_lines, parity_lines
from qat.cli.study_figures import history_figures
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins
from qat.tables.comparison import comparison_markdown
from qat.tracking.figures.layers import sqnr_figure
from qat.tracking.figures.memory import memory_figures
from qat.tracking.tensorboard import open_events, write_hparams, write_run


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
    figures |= history_figures(read_history(prepared.folder / HISTORY_NAME))
    figures |= memory_figures(memory_told(prepared.folder) or {})
    write_run(
        folder,
        outcome.record,
        comparison_markdown(outcome.record) + _runtime_markdown(prepared.folder),
        weights=weights,
        sqnr=rows,
        figures=figures,
    )


def _runtime_markdown(folder: Path) -> str:
    """What the runtime made of the network, and where its memory goes: a list, and tables."""
    lines = [*parity_lines(folder), *latency_lines(folder), *memory_lines(folder)]
    return "".join(f"\n- {line}" for line in lines) + memory_markdown(folder)


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
