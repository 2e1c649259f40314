"""What a run prints when it is done: the comparison, its notes, and where the record is."""

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from qat.cli.progress import console
from qat.cli.run_files import deployment_lines
from qat.records.facts import run_facts
from qat.records.schema import RunRecord
from qat.records.warned import warnings_of
from qat.tables import table as tables
from qat.tables.comparison import comparison_notes, comparison_rows
from qat.tables.render import markdown, remarks, texts
from qat.tables.shown import headings


def print_comparison(record: RunRecord) -> None:
    """The float network beside the quantized one."""
    facts = run_facts(record)
    title = f"{facts.model} on {facts.data}: {facts.run_name}"
    rows = comparison_rows(record)
    headings = ("float", "quantized", "difference") if record.mode != "float" else ("float",)
    table = Table("metric", title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        cells = (row.metric, row.float_value, row.quantized, row.difference)
        table.add_row(*map(escape, cells[: len(headings) + 1]))  # "[ms]" is no markup
    out = console()
    out.print(table)
    for note in comparison_notes(record):
        out.print(f"  – {note}", style="dim", soft_wrap=True)
    for line in warnings_of(record):
        out.print(f"  warning: {escape(line)}", style="yellow", soft_wrap=True)
    for name, kind in (record.plan or {}).get("left_float", ()):
        out.print(f"  left float: {name} ({kind})", style="dim", soft_wrap=True)


def print_table(table: tables.Table) -> None:
    """The table that ends a sweep: fitted to a terminal, markdown elsewhere."""
    out = console()
    if not out.is_terminal:
        print(f"\n{markdown(table)}", flush=True)
        return
    shown = Table()
    for words, column in zip(headings(table), table.columns, strict=True):
        shown.add_column(escape(words), justify="left" if column.metric is None else "right")
    for row in texts(table):
        shown.add_row(*map(escape, row))
    out.print(shown)
    for remark in remarks(table):
        out.print(escape(remark), style="dim", soft_wrap=True)


def print_deployment(folder: Path, record: RunRecord) -> None:
    """How widths were chosen, what the runtime made of the network, where its memory goes."""
    out = console()
    for line in deployment_lines(folder, record):
        out.print(f"  {escape(line)}", soft_wrap=True)


def print_record_line(path: Path) -> None:
    """The last line of a run."""
    print(f"record: {path}", flush=True)
