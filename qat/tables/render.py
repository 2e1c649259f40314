"""A table as text: markdown, CSV, LaTeX, HTML."""

import csv
import html
import io
from collections.abc import Callable, Mapping

from qat.tables.columns import Column
from qat.tables.errors import TableError
from qat.tables.latex import latex
from qat.tables.numbers import cell_text
from qat.tables.statistics import Statistic
from qat.tables.table import Row, Table

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em}"
    "table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid}"
    "th{border-bottom:1px solid}td,th{padding:.25em .8em;text-align:left}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
)


def render(table: Table, form: str = "markdown") -> str:
    """The table as text that ends in a newline.

    Args:
        table: What to show.
        form: ``markdown``, ``csv`` (raw numbers, every digit), ``latex`` (booktabs) or ``html``
            (a page of its own).

    Raises:
        TableError: If there is no such format.
    """
    if form not in FORMATS:
        raise TableError(f"format must be one of {', '.join(FORMATS)}, got {form!r}")
    return FORMATS[form](table)


def markdown(table: Table) -> str:
    """Padded, so that it also reads well as plain text; notes as ``[1]``."""
    header = [_pipe(column.header) for column in table.columns]
    body = [[_pipe(text) for text in row] for row in texts(table)]
    widths = [max(3, *(len(line[i]) for line in [header, *body])) for i in range(len(header))]
    right = [column.metric is not None for column in table.columns]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    lines = [header, rule, *body]
    padded = [
        [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)]
        for line in lines
    ]
    text = "\n".join(f"| {' | '.join(line)} |" for line in padded) + "\n"
    return text + "".join(f"\n{line}\n" for line in remarks(table))


def texts(table: Table) -> list[list[str]]:
    """The cells of each row as text, the first with the numbers of its notes, ``[1]``."""
    counts = _counts(table)
    body = [
        [cell_text(*p, counts) for p in zip(row.cells, table.columns, strict=True)]
        for row in table.rows
    ]
    for row, cells in zip(table.rows, body, strict=True):
        if cells and row.marks:
            cells[0] += " " + " ".join(f"[{mark}]" for mark in row.marks)
    return body


def remarks(table: Table) -> list[str]:
    """The numbered notes, then the footer."""
    return [*(f"[{i}] {note}" for i, note in enumerate(table.notes, start=1)), *table.footer]


def to_csv(table: Table) -> str:
    """Raw numbers with every digit: mean, std and n of a metric each have a column."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        [
            *(name for column in table.columns for name in _csv_names(column)),
            "seeds",
            "ids",
            "notes",
        ]
    )
    for row in table.rows:
        writer.writerow([*_csv_cells(table, row), *_csv_tail(table, row)])
    return file.getvalue()


def to_html(table: Table) -> str:
    """A page of its own, without scripts."""
    counts = _counts(table)
    head = "".join(_html_cell("th", c, html.escape(c.header)) for c in table.columns)
    body = []
    for row in table.rows:
        texts = [
            html.escape(cell_text(*p, counts)) for p in zip(row.cells, table.columns, strict=True)
        ]
        if texts and row.marks:
            texts[0] += f" <sup>{','.join(map(str, row.marks))}</sup>"
        cells = (_html_cell("td", c, text) for c, text in zip(table.columns, texts, strict=True))
        body.append(f"<tr>{''.join(cells)}</tr>\n")
    notes = "".join(f"<li>{html.escape(note)}</li>\n" for note in table.notes)
    footer = "".join(f"<p>{html.escape(line)}</p>\n" for line in table.footer)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Runs</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{''.join(body)}</tbody>\n</table>\n"
        + (f"<ol>\n{notes}</ol>\n" if notes else "")
        + f"{footer}</body></html>\n"
    )


def to_latex(table: Table) -> str:
    r"""A booktabs tabular with its notes below; needs ``\usepackage{booktabs}``."""
    counts = _counts(table)
    texts = [
        [cell_text(*p, counts) for p in zip(row.cells, table.columns, strict=True)]
        for row in table.rows
    ]
    return latex(
        headers=[column.header for column in table.columns],
        right=[column.metric is not None for column in table.columns],
        rows=texts,
        marks=[row.marks for row in table.rows],
        notes=table.notes,
        footer=table.footer,
    )


FORMATS: Mapping[str, Callable[[Table], str]] = {
    "markdown": markdown,
    "csv": to_csv,
    "latex": to_latex,
    "html": to_html,
}


def _counts(table: Table) -> bool:
    """Show (n) in every cell as soon as one row has more than one run."""
    return any(len(row.ids) > 1 for row in table.rows)


def _pipe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _csv_names(column: Column) -> list[str]:
    if column.metric is None:
        return [column.name]
    return [f"{column.name}_{part}" for part in ("mean", "std", "n")]


def _csv_cells(table: Table, row: Row) -> list[object]:
    cells: list[object] = []
    for cell, column in zip(row.cells, table.columns, strict=True):
        if column.metric is None:
            cells.append(cell)
        elif isinstance(cell, Statistic):
            cells += [cell.mean, cell.std, cell.n]
        else:
            cells += [None, None, 0]
    return cells


def _csv_tail(table: Table, row: Row) -> list[str]:
    notes = "; ".join(table.notes[mark - 1] for mark in row.marks)
    return [" ".join(map(str, row.seeds)), " ".join(row.ids), notes]


def _html_cell(tag: str, column: Column, text: str) -> str:
    kind = ' class="n"' if column.metric is not None else ""
    return f"<{tag}{kind}>{text}</{tag}>"
