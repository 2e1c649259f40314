"""``qat diagnose`` shows where a run lost accuracy, layer by layer, and which settings to try."""

from pathlib import Path

from qat.analysis.diagnosis import findings
from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.records.folder import RunFolder
from qat.records.store import seen_record
from qat.records.warned import warnings_of
from qat.report.console import console
from qat.report.diagnosis import (
    LEGEND,
    fall_lines,
    finding_lines,
    float_lines,
    headline,
    layers_table,
    run_layers,
)


def diagnose_command(folder: Path) -> int:
    """Print the layers of a run, the layers that stand out, and the settings to try.

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
    out = console()
    out.print(headline(record), soft_wrap=True)
    out.print(layers_table(layers))
    out.print(LEGEND, style="dim", soft_wrap=True)
    noteworthy = findings(layers, trained=record.mode == "qat")
    warnings = [f"• warning: {line}" for line in warnings_of(record)]
    for line in [
        *fall_lines(layers),
        *warnings,
        *finding_lines(noteworthy, record),
        *float_lines(record),
    ]:
        out.print(line, soft_wrap=True)
    return DONE
