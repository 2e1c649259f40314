"""What a run prints when it is done: the comparison, its notes, and where the record is."""

from pathlib import Path

from rich.table import Table

from qat.cli.progress import console
from qat.records.facts import run_facts
from qat.records.schema import RunRecord
from qat.tables.comparison import comparison_notes, comparison_rows


def print_comparison(record: RunRecord) -> None:
    """The float network beside the quantized one."""
    facts = run_facts(record)
    title = f"{facts.model} on {facts.data}: {facts.run_name}"
    table = Table("metric", title=title, title_justify="left")
    for heading in ("float", "quantized", "difference"):
        table.add_column(heading, justify="right")
    for row in comparison_rows(record):
        table.add_row(row.metric, row.float_value, row.quantized, row.difference)
    out = console()
    out.print(table)
    for note in comparison_notes(record):
        out.print(f"  – {note}", style="dim", soft_wrap=True)
    for name, kind in (record.plan or {}).get("left_float", ()):
        out.print(f"  left float: {name} ({kind})", style="dim", soft_wrap=True)


def print_record_line(path: Path) -> None:
    """The last line of a run."""
    print(f"record: {path}", flush=True)
