"""Which columns of a table fit into a line of limited width, and which are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from qat.tables.cell_text import headings
from qat.tables.cells import Table
from qat.tables.render import texts

PADDING = 3
"""Characters of a column besides its text: a space on each side, and a vertical line."""


@dataclass(frozen=True, slots=True)
class FittedColumns:
    """Indices of a table's columns.

    Attributes:
        kept: Columns that are shown.
        left_out: Columns that are not shown, in the order of the table.
        widths: Characters of the text of every column.
    """

    kept: tuple[int, ...]
    left_out: tuple[int, ...]
    widths: tuple[int, ...]


def fitted(table: Table, width: int) -> FittedColumns:
    """Leave out columns, the least informative first, until the table fits.

    The order is: columns with the same value in every row; then, if the first column has the names
    of the runs (which contain the settings), settings from the right; then metrics from the right.
    The first column and the first metric always stay.

    Args:
        table: The table to be shown.
        width: Characters of a line.

    Example:
        >>> from qat.tables.cells import Row
        >>> from qat.tables.columns import Column
        >>> columns = (Column("run", None, "run"), Column("mode", None, "mode"))
        >>> fitted(Table(columns, (Row(("a", "qat")), Row(("b", "qat"))), (), ()), width=10).kept
        (0,)
    """
    rows, heads = texts(table), headings(table)
    kept = list(range(len(heads)))
    whole = [max(map(len, [heads[i], *(row[i] for row in rows)])) for i in kept]
    if _total(whole) <= width:
        return FittedColumns(tuple(kept), (), tuple(whole))
    widths = [column_width(heads[i], [row[i] for row in rows]) for i in kept]
    for place in _least_first(table, rows):
        if _total([widths[i] for i in kept]) <= width:
            break
        kept.remove(place)
    left_out = tuple(i for i in range(len(heads)) if i not in kept)
    return FittedColumns(tuple(kept), left_out, tuple(widths))


def left_out_words(table: Table, places: Sequence[int]) -> str:
    """Headers of left-out columns, with the value if it is the same in every row.

    Args:
        table: The whole table.
        places: Indices of the columns that are left out.

    Returns:
        Such as ``mode static, compression [×]``.
    """
    rows, heads = texts(table), headings(table)
    words = []
    for place in places:
        values = {row[place] for row in rows}
        words.append(f"{heads[place]} {values.pop()}" if len(values) == 1 else heads[place])
    return ", ".join(words)


def column_width(heading: str, cells: Sequence[str]) -> int:
    """Characters that a column needs: a header may be broken between words, a cell may not.

    Args:
        heading: Header of the column.
        cells: Its cells as text.

    Example:
        >>> column_width("packed size [KiB]", ["1131.7"])
        6
    """
    return max(map(len, [*heading.split(), *cells]), default=0)


def _total(widths: Sequence[int]) -> int:
    return sum(width + PADDING for width in widths) + 1


def _least_first(table: Table, rows: Sequence[Sequence[str]]) -> list[int]:
    """Indices of the columns in the order in which they may be left out."""
    metrics = [i for i, column in enumerate(table.columns) if column.metric is not None]
    settings = [i for i in range(1, len(table.columns)) if i not in metrics]
    same = [i for i in range(1, len(table.columns)) if len({row[i] for row in rows}) == 1]
    same = [i for i in same if i not in metrics[:1]] if len(rows) > 1 else []
    named = table.columns[0].name == "run"
    late, early = [*reversed(metrics[1:])], [*reversed(settings)]
    order = [*reversed(same), *(early + late if named else late + early)]
    return list(dict.fromkeys(order))
