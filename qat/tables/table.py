"""Records to a table, as data."""

from collections.abc import Iterable, Sequence

from qat.records.schema import RunRecord
from qat.records.store import RecordProblem
from qat.tables.cells import Row, Table
from qat.tables.columns import Column, make_column, setting_text
from qat.tables.flat import flat_columns, flat_rows
from qat.tables.layout import TableSpec
from qat.tables.pivot import pivot
from qat.tables.published import Published
from qat.tables.reading import how_to_read, untimed
from qat.tables.rows import footer, grouped

__all__ = ["Row", "Table", "make_table", "table_from"]


def make_table(
    records: Sequence[RunRecord],
    columns: Sequence[str] | None = None,
    group: Sequence[str] = (),
    axes: Sequence[str] = (),
    strict: bool = False,
    problems: Sequence[RecordProblem] = (),
) -> Table:
    """A flat table of the finished runs among some records.

    Args:
        records: As :func:`qat.records.store.find_records` gives them.
        columns: Names of settings, metrics, or paths such as ``protocol.training.epochs``; None
            for the usual ones.
        group: More settings that keep rows apart (``seed``: one row a run).
        axes: Parts of the protocol, or paths in it, that the table varies on purpose. Those
            shown as a column are axes anyway.
        strict: Refuse rows that differ in anything else.
        problems: What could not be read, for the footer.

    Raises:
        TableError: If a column is unknown, or with ``strict`` if rows are unlike.
    """
    shown = None if columns is None else tuple(columns)
    spec = TableSpec(columns=shown, group=tuple(group), axes=tuple(axes))
    return table_from(records, spec, strict=strict, problems=problems)


def table_from(
    records: Sequence[RunRecord],
    spec: TableSpec,
    published: Sequence[Published] = (),
    strict: bool = False,
    problems: Sequence[RecordProblem] = (),
) -> Table:
    """A table of the finished runs among some records, laid out by a spec.

    Args:
        records: As :func:`qat.records.store.find_records` gives them.
        spec: What to show.
        published: Numbers of papers, shown beside the measured ones and never mixed with them.
        strict: Refuse rows that differ in a part of the protocol that is no axis of the table.
        problems: What could not be read, for the footer.

    Raises:
        TableError: If a name is unknown, with ``strict`` if rows are unlike, in a pivot if two
            settings meet in a cell.
    """
    done = [record for record in records if record.status == "done" and _wanted(record, spec)]
    if spec.layout == "pivot":
        shown = [*spec.rows, *(spec.columns or ())]
        found = grouped(done, shown, spec.group, spec.axes, strict)
        columns, rows, notes = pivot(found, spec, published)
    else:
        columns = flat_columns(done, spec)
        names = [column.name for column in columns]
        found = grouped(done, names, spec.group, spec.axes, strict)
        rows, notes = flat_rows(found, columns, spec, published)
    words = [*_homeless(published, columns, rows), *footer(records, problems)]
    if spec.layout == "flat" and spec.columns is None:
        words += untimed(done)
    words = [*how_to_read(rows, done), *words]
    if spec.layout == "pivot" and len(spec.values) == 1:
        words = [f"cells: {make_column(spec.values[0], done).header}", *words]
    return Table(tuple(columns), tuple(rows), tuple(notes), tuple(words))


def _homeless(
    published: Sequence[Published], columns: Sequence[Column], rows: Sequence[Row]
) -> Iterable[str]:
    """Published numbers of shown metrics that found no cell: no run stands in their column."""
    metrics = {column.of or column.name for column in columns if column.metric is not None}
    there = [cell for row in rows if row.published for cell in row.cells]
    lost = [one for one in published if one.metric in metrics and one not in there]
    if lost:
        words = ", ".join(f"{one.metric} of {' '.join(one.settings.values())}" for one in lost)
        yield f"{len(lost)} published, not in the table for want of a column with runs: {words}"


def _wanted(record: RunRecord, spec: TableSpec) -> bool:
    return all(setting_text(record, key) in values for key, values in spec.only.items())
