"""A table's cells as they are shown, before any format's own marks."""

from dataclasses import dataclass

from qat.tables.cells import Row, Table
from qat.tables.numbers import cell_text
from qat.tables.reading import count_of, usual_count


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell: its plain text, whether it is bold, the numbers of its notes."""

    text: str
    bold: bool = False
    marks: tuple[int, ...] = ()


def shown_rows(table: Table) -> list[list[Shown]]:
    """The cells of each row; a row's own notes stand at its first cell.

    The number of seeds that most cells have is said below the table; the others say theirs.
    """
    usual = usual_count(table.rows)
    return [_shown(table, row, usual) for row in table.rows]


def headings(table: Table) -> list[str]:
    """Words of each column in one line, what stands over it first."""
    return [f"{column.over} {column.header}".strip() for column in table.columns]


def spans(table: Table) -> list[tuple[str, int, int]]:
    """``(words, first column, last column)`` of neighbours that share an upper header."""
    found: list[tuple[str, int, int]] = []
    for index, column in enumerate(table.columns):
        if column.over and found and found[-1][0] == column.over and found[-1][2] == index - 1:
            found[-1] = (column.over, found[-1][1], index)
        elif column.over:
            found.append((column.over, index, index))
    return found


def _shown(table: Table, row: Row, usual: int | None) -> list[Shown]:
    cells = []
    for index, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
        marks = row.cell_marks.get(index, ())
        if index == 0:
            marks = (*marks, *row.marks)
        counts = usual is not None and count_of(cell) not in (None, usual)
        cells.append(Shown(cell_text(cell, column, counts), index in row.bold, marks))
    return cells
