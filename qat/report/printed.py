"""Output of a finished run: the comparison with float, its notes, and the path of the record."""

from pathlib import Path
from typing import Literal

from rich.table import Table

from qat.base.lines import line_width, wrapped
from qat.base.printing import print_line, print_wrapped
from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.records.warned import warnings_of
from qat.report.console import console
from qat.report.float_lines import float_lines
from qat.report.run_files import deployment_lines
from qat.tables import table as tables
from qat.tables.cell_text import headings
from qat.tables.comparison import comparison_notes, comparison_rows
from qat.tables.fitting import fitted, left_out_words
from qat.tables.render import markdown, remarks, texts

WIDER_THAN_ANY = 10_000


def print_comparison(record: RunRecord, every_float: bool = False) -> None:
    """Print the float and the quantized network side by side, with notes and warnings.

    Args:
        record: Record of the run.
        every_float: Print one line for each layer that stays float, instead of a count.
    """
    facts = run_facts(record)
    title = f"{facts.model} on {facts.data}: {facts.run_name}"
    rows = comparison_rows(record)
    headings = ("float", "quantized", "difference") if record.mode != "float" else ("float",)
    table = Table("metric", title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        cells = (row.metric, row.float_value, row.quantized, row.difference)
        table.add_row(*cells[: len(headings) + 1])
    out = console()
    out.print(table)
    for note in comparison_notes(record):
        out.print(wrapped(f"  – {note}", hang=4), style="dim", soft_wrap=True)
    for line in warnings_of(record):
        text = wrapped(f"  warning: {line}", hang=4)
        out.print(text, style="yellow", soft_wrap=True)
    for line in float_lines(record.plan, record.id, every_float):
        out.print(wrapped(f"  {line}", hang=4), style="dim", soft_wrap=True)


def print_table(table: tables.Table, wide: bool = False) -> None:
    """Print a table that fits the terminal or ``COLUMNS``; without either, as markdown.

    Args:
        table: The table.
        wide: Show all columns, also beyond the width of the terminal.
    """
    if line_width() is None:
        print(f"\n{markdown(table)}", flush=True)
        return
    out, rows, heads = console(), texts(table), headings(table)
    if wide:
        out.width = WIDER_THAN_ANY
    places = fitted(table, out.width)
    shown = Table()
    for place in places.kept:
        column = table.columns[place]
        justify: Literal["left", "right"] = "left" if column.metric is None else "right"
        shown.add_column(heads[place], justify=justify, width=places.widths[place])
    for row in rows:
        shown.add_row(*(row[place] for place in places.kept))
    out.print(shown)
    if places.left_out:
        text = left_out_words(table, places.left_out)
        print_wrapped(f"left out: {text}; qat table --wide shows all")
    for remark in remarks(table):
        out.print(wrapped(remark), style="dim", soft_wrap=True)


def print_deployment(folder: Path, record: RunRecord) -> None:
    """Print the chosen widths, the results of the runtime, and the memory.

    Args:
        folder: Folder of the run.
        record: Its record.
    """
    for line in deployment_lines(folder, record):
        print_wrapped(f"  {line}", hang=4)


def print_record_line(path: Path) -> None:
    """Print the last line of a run."""
    print_line(f"record: {path}")
