"""A table as text: Markdown, CSV, LaTeX, HTML."""

import csv
import html
import io
from collections.abc import Callable, Mapping

from qat.base.text import csv_text, markdown_line, markdown_text, plain
from qat.tables.cell_text import Shown, headings, shown_rows, spans
from qat.tables.cells import Row, Table
from qat.tables.columns import Column
from qat.tables.errors import TableError
from qat.tables.latex import latex
from qat.tables.paired import PairedDifference
from qat.tables.published import Published
from qat.tables.statistics import Statistic

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em}"
    "table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid}"
    "th{border-bottom:1px solid}td,th{padding:.25em .8em;text-align:left}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
)


def render(table: Table, form: str = "markdown") -> str:
    """The table as text, with a newline at the end.

    Args:
        table: Rows, columns, notes and footer.
        form: ``markdown``, ``csv`` (raw numbers, every digit), ``latex`` (booktabs) or ``html``
            (a complete page).

    Raises:
        TableError: If the format is unknown.

    Example:
        >>> from qat.tables.cells import Row, Table
        >>> from qat.tables.columns import Column
        >>> columns = (Column("mode", None, "mode"), Column("data", None, "data"))
        >>> print(render(Table(columns, (Row(("qat", "cifar10")),), (), ()), "csv"), end="")
        mode,data,seeds,ids,notes
        qat,cifar10,,,
    """
    if form not in FORMATS:
        raise TableError(f"format must be one of {', '.join(FORMATS)}, got {form!r}")
    return FORMATS[form](table)


def markdown(table: Table) -> str:
    """The table in Markdown, padded so that the plain text is aligned too; notes as ``[1]``."""
    header = [_pipe(words) for words in headings(table)]
    body = [[_markdown_cell(cell) for cell in row] for row in shown_rows(table)]
    widths = [max(3, *(len(line[i]) for line in [header, *body])) for i in range(len(header))]
    right = [column.metric is not None for column in table.columns]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    lines = [header, rule, *body]
    padded = [
        [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)]
        for line in lines
    ]
    text = "\n".join(f"| {' | '.join(line)} |" for line in padded) + "\n"
    return text + "".join(f"\n{markdown_line(line)}\n" for line in remarks(table))


def texts(table: Table) -> list[list[str]]:
    """The cells of each row as plain text, followed by the numbers of their notes, ``[1]``."""
    return [[cell.text + _numbers(cell) for cell in row] for row in shown_rows(table)]


def remarks(table: Table) -> list[str]:
    """The numbered notes, then the footer."""
    return [*(f"[{i}] {note}" for i, note in enumerate(table.notes, start=1)), *table.footer]


def to_csv(table: Table) -> str:
    """The table as CSV, with every digit of the raw numbers.

    A metric has the columns mean, std and n; a difference has mean, low, high and n.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*map(csv_text, raw_names(table)), "seeds", "ids", "notes"])
    for row in table.rows:
        cells = [*raw_cells(table, row), *_csv_tail(table, row)]
        writer.writerow([csv_text(cell) if isinstance(cell, str) else cell for cell in cells])
    return file.getvalue()


def raw_names(table: Table) -> list[str]:
    """Name of each raw value of a row: one for a setting, three or four for a metric."""
    return [name for column in table.columns for name in _csv_names(column)]


def to_html(table: Table) -> str:
    """The table as a complete HTML page without scripts."""
    body = []
    for row in shown_rows(table):
        cells = (
            _html_cell("td", column, _html_text(cell))
            for column, cell in zip(table.columns, row, strict=True)
        )
        body.append(f"<tr>{''.join(cells)}</tr>\n")
    notes = "".join(f"<li>{_html(note)}</li>\n" for note in table.notes)
    footer = "".join(f"<p>{_html(line)}</p>\n" for line in table.footer)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Runs</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n<table>\n<thead>{_html_head(table)}</thead>\n"
        f"<tbody>\n{''.join(body)}</tbody>\n</table>\n"
        + (f"<ol>\n{notes}</ol>\n" if notes else "")
        + f"{footer}</body></html>\n"
    )


def to_latex(table: Table, caption: str = "", label: str = "") -> str:
    r"""A booktabs tabular with its notes below; needs ``\usepackage{booktabs}``.

    Args:
        table: Rows, columns, notes and footer.
        caption: Plain text; with a caption or a label, a floating ``table`` is written.
        label: For ``\ref``.
    """
    return latex(
        headers=[column.header for column in table.columns],
        right=[column.metric is not None for column in table.columns],
        rows=shown_rows(table),
        notes=table.notes,
        footer=table.footer,
        spans=spans(table),
        caption=caption,
        label=label,
    )


FORMATS: Mapping[str, Callable[[Table], str]] = {
    "markdown": markdown,
    "csv": to_csv,
    "latex": to_latex,
    "html": to_html,
}


def _html(text: str) -> str:
    return html.escape(plain(text))


def _pipe(text: str) -> str:
    return markdown_text(text)


def _numbers(cell: Shown) -> str:
    return "".join(f" [{mark}]" for mark in cell.marks)


def _markdown_cell(cell: Shown) -> str:
    text = markdown_text(cell.text)
    return (f"**{text}**" if cell.bold else text) + _numbers(cell)


def _csv_names(column: Column) -> list[str]:
    if column.metric is None:
        return [column.name]
    parts = ("mean", "low", "high", "n") if _is_difference(column) else ("mean", "std", "n")
    return [f"{column.name}_{part}" for part in parts]


def _is_difference(column: Column) -> bool:
    return column.of is not None and "@" not in column.name


def raw_cells(table: Table, row: Row) -> list[object]:
    """The raw values of a row, with every digit.

    Args:
        table: Of the row.
        row: One of its rows.
    """
    cells: list[object] = []
    for cell, column in zip(row.cells, table.columns, strict=True):
        if column.metric is None:
            cells.append(cell)
        elif isinstance(cell, Statistic):
            cells += [cell.mean, cell.std, cell.n]
        elif isinstance(cell, PairedDifference):
            cells += [cell.mean, cell.low, cell.high, cell.n]
        else:  # empty, or a published number, which belongs to no run
            value = cell.value if isinstance(cell, Published) else None
            cells += [value, *[None] * (len(_csv_names(column)) - 2), 0]
    return cells


def _csv_tail(table: Table, row: Row) -> list[str]:
    notes = "; ".join(notes_of(table, row))
    return [" ".join(map(str, row.seeds)), " ".join(row.ids), notes]


def notes_of(table: Table, row: Row) -> list[str]:
    """The notes on a row and on its cells.

    Args:
        table: Of the row.
        row: One of its rows.
    """
    marks = [*row.marks, *(mark for of_cell in row.cell_marks.values() for mark in of_cell)]
    return [table.notes[mark - 1] for mark in dict.fromkeys(marks)]


def _html_head(table: Table) -> str:
    head = "".join(_html_cell("th", c, _html(c.header)) for c in table.columns)
    upper_headers = spans(table)
    if not upper_headers:
        return f"<tr>{head}</tr>"
    upper, column = "", 0
    for words, first, last in upper_headers:
        upper += "<th></th>" * (first - column)
        upper += f'<th colspan="{last - first + 1}">{_html(words)}</th>'
        column = last + 1
    return f"<tr>{upper}</tr>\n<tr>{head}</tr>"


def _html_text(cell: Shown) -> str:
    text = _html(cell.text)
    text = f"<b>{text}</b>" if cell.bold else text
    return text + (f" <sup>{','.join(map(str, cell.marks))}</sup>" if cell.marks else "")


def _html_cell(tag: str, column: Column, text: str) -> str:
    kind = ' class="n"' if column.metric is not None else ""
    return f"<{tag}{kind}>{text}</{tag}>"
