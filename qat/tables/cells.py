"""A table as data: columns, rows, numbered notes, footer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from qat.tables.columns import Column
from qat.tables.paired import PairedDifference
from qat.tables.published import Published
from qat.tables.statistics import Statistic

Cell = str | Statistic | PairedDifference | Published | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        cells: One a column; None where there is no value.
        marks: Numbers of the notes that concern it, from 1.
        ids: Ids of its runs; none of a published row.
        seeds: Their seeds.
        bold: Columns whose cell is not told apart from the best.
        cell_marks: Column → numbers of the notes that concern that cell alone.
        published: True for numbers from a paper.
    """

    cells: tuple[Cell, ...]
    marks: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    bold: frozenset[int] = frozenset()
    cell_marks: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    published: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table as data; see :func:`qat.tables.render.render`.

    Attributes:
        columns: What the columns are.
        rows: Finished runs, grouped over seeds.
        notes: Numbered from 1: what makes a row unlike the others.
        footer: What is not in the table, and why; how to read what is.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    footer: tuple[str, ...]
