"""The text of a table's cells and headers, before a format adds its own markup."""

from dataclasses import dataclass

from qat.tables.cells import Row, Table
from qat.tables.numbers import cell_text
from qat.tables.reading import count_of, usual_count


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as plain text, whether it is bold, and the numbers of its notes."""

    text: str
    bold: bool = False
    marks: tuple[int, ...] = ()


def shown_rows(table: Table) -> list[list[Shown]]:
    """The cells of each row; the notes on a whole row are attached to its first cell.

    The footer gives the number of seeds that most cells have. Only cells with another number
    show it.
    """
    usual = usual_count(table.rows)
    return [_shown(table, row, usual) for row in table.rows]


def headings(table: Table) -> list[str]:
    """The header of each column on one line, preceded by its upper header."""
    return [f"{column.over} {column.header}".strip() for column in table.columns]


def spans(table: Table) -> list[tuple[str, int, int]]:
    """``(upper header, first column, last column)`` of adjacent columns that share one."""
    upper: list[tuple[str, int, int]] = []
    for index, column in enumerate(table.columns):
        if column.over and upper and upper[-1][0] == column.over and upper[-1][2] == index - 1:
            upper[-1] = (column.over, upper[-1][1], index)
        elif column.over:
            upper.append((column.over, index, index))
    return upper


def _shown(table: Table, row: Row, usual: int | None) -> list[Shown]:
    cells = []
    for index, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
        marks = row.cell_marks.get(index, ())
        if index == 0:
            marks = (*marks, *row.marks)
        counts = usual is not None and count_of(cell) not in (None, usual)
        cells.append(Shown(cell_text(cell, column, counts), index in row.bold, marks))
    return cells
