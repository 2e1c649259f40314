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
        cells: One for each column; None where there is no value.
        marks: Numbers of the notes on this row, from 1.
        ids: Ids of its runs; empty for a published row.
        seeds: Seeds of its runs.
        bold: Indices of the columns in which this row is the best, or statistically
            indistinguishable from the best.
        cell_marks: Column index → numbers of the notes on that cell alone.
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
        columns: Name, header and number format of each column.
        rows: Finished runs, grouped over seeds, then published numbers.
        notes: Numbered from 1: in what a row differs from the others.
        footer: How to read the cells; which runs are not in the table, and why.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    footer: tuple[str, ...]
