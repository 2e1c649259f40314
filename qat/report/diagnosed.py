"""The diagnosis of a run as an object: where it lost accuracy, and which settings to try."""

import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from qat.analysis.diagnosis import Finding, LayerRows, findings
from qat.base.errors import RequestError
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.store import seen_record
from qat.records.warned import warnings_of
from qat.report.console import PLAIN_WIDTH, PlainConsole
from qat.report.diagnosis import (
    LEGEND,
    fall_lines,
    finding_lines,
    float_lines,
    headline,
    layers_table,
    run_layers,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Diagnosis:
    """Where a run lost accuracy, layer by layer.

    ``print`` shows it as the command ``qat diagnose`` does; a notebook shows it as a table.

    Attributes:
        record: Record of the run.
        layers: The rows of each layer, in the order of the network.
        findings: What stands out, the worst first, each with the overrides to try (``settings``).
        folder: Folder of the run, for the commands to try; None if its id names it.

    Example:
        >>> record = RunRecord("0a1b2c", "done", "static", 0, metrics={"float_top1": 0.9})
        >>> str(Diagnosis(record, (), ())).splitlines()[0]
        'run 0a1b2c: no accuracy was measured'
    """

    record: RunRecord
    layers: tuple[LayerRows, ...]
    findings: tuple[Finding, ...]
    folder: Path | None = None

    def lines(self) -> list[str]:
        """What follows the table of layers: the first fall, warnings, findings, float layers."""
        warnings = [f"• warning: {line}" for line in warnings_of(self.record)]
        return [
            *fall_lines(self.layers),
            *warnings,
            *finding_lines(self.findings, self.record, self.folder),
            *float_lines(self.record),
        ]

    def show(self, out: Console) -> None:
        """Print the diagnosis on a console."""
        out.print(headline(self.record), soft_wrap=True)
        out.print(layers_table(self.layers))
        out.print(LEGEND, style="dim", soft_wrap=True)
        for line in self.lines():
            out.print(line, soft_wrap=True)

    def to_frame(self) -> "pd.DataFrame":
        """One row for each layer: its name, SQNR in dB, shares of clipped values and used codes."""
        import pandas as pd

        frame = pd.DataFrame([_figures(layer) for layer in self.layers])
        return frame.set_index("layer") if len(frame) else frame

    def __str__(self) -> str:
        """The text that the command prints."""
        text = io.StringIO()
        self.show(PlainConsole(file=text, width=PLAIN_WIDTH, highlight=False, color_system=None))
        return text.getvalue().rstrip("\n")

    def _repr_html_(self) -> str:
        """The table and the lines, for a notebook."""
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.lines())
        table = self.to_frame().to_html(float_format="{:.3g}".format, na_rep="–")
        return f"<p>{html.escape(headline(self.record))}</p>{table}<ul>{items}</ul>"


def diagnosis_of(folder: Path) -> Diagnosis:
    """Diagnose a finished run from its files.

    Args:
        folder: Folder of the run.

    Raises:
        RequestError: If the folder has no run, or the run has no layer data.
        SideFileError: If ``layers.json`` is missing, damaged or not the file that the run wrote.
    """
    if RunFolder(folder).state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    record = seen_record(folder)
    layers = run_layers(folder, record)
    if not layers:
        raise RequestError(
            f"run {record.id} ({record.mode}, {record.status}) has no layers.json to diagnose: "
            "a finished run of mode static, dynamic, qat or mixed has one"
        )
    noteworthy = findings(layers, trained=record.mode == "qat")
    return Diagnosis(record, tuple(layers), tuple(noteworthy), folder)


def _figures(layer: LayerRows) -> dict[str, object]:
    """The columns of the command's table, and what is usual at the layer's widths."""
    weight, act, output = layer.weight, layer.act, layer.output
    return {
        "layer": layer.name,
        "weight_db": weight and weight.sqnr_db,
        "worst_channel_db": weight and weight.worst_channel_db,
        "channel_range_ratio": weight and weight.channel_range_ratio,
        "act_db": act and act.sqnr_db,
        "clipped": act and act.clipped,
        "used_codes": act and act.used_codes,
        "alone_db": output.alone_db,
        "output_db": output.sqnr_db,
        "usual_db": layer.usual_db,
        "stands_out": layer.stands_out,
    }
