"""Which columns of a table a narrow page holds, and which are to be left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from qat.tables.cell_text import headings
from qat.tables.cells import Table
from qat.tables.render import texts

PADDING = 3
"""Characters beside a column's text: a blank on each side, and the line between two."""


@dataclass(frozen=True, slots=True)
class FittedColumns:
    """Places of a table's columns.

    Attributes:
        kept: Those that are shown.
        left_out: Those that are not, in the order of the table.
        widths: Characters of each column's text, kept or not.
    """

    kept: tuple[int, ...]
    left_out: tuple[int, ...]
    widths: tuple[int, ...]


def fitted(table: Table, width: int) -> FittedColumns:
    """Leave out as few columns as it takes, those that say least first.

    First what is the same in every row; then settings from the right, where the first column names
    the runs, since names hold them; then metrics from the right. The first column and the first
    metric stay.

    Args:
        table: What is to be shown.
        width: Characters of a line.
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
    """Names of columns that are left out, with the value of those that are the same throughout.

    Example: ``mode static, compression [×]``.
    """
    rows, heads = texts(table), headings(table)
    words = []
    for place in places:
        values = {row[place] for row in rows}
        words.append(f"{heads[place]} {values.pop()}" if len(values) == 1 else heads[place])
    return ", ".join(words)


def column_width(heading: str, cells: Sequence[str]) -> int:
    """Characters a column needs: a heading is broken between words, a cell is not."""
    return max(map(len, [*heading.split(), *cells]), default=0)


def _total(widths: Sequence[int]) -> int:
    return sum(width + PADDING for width in widths) + 1


def _least_first(table: Table, rows: Sequence[Sequence[str]]) -> list[int]:
    """Places in the order in which they may go."""
    metrics = [i for i, column in enumerate(table.columns) if column.metric is not None]
    settings = [i for i in range(1, len(table.columns)) if i not in metrics]
    same = [i for i in range(1, len(table.columns)) if len({row[i] for row in rows}) == 1]
    same = [i for i in same if i not in metrics[:1]] if len(rows) > 1 else []
    named = table.columns[0].name == "run"
    late, early = [*reversed(metrics[1:])], [*reversed(settings)]
    order = [*reversed(same), *(early + late if named else late + early)]
    return list(dict.fromkeys(order))
