"""From run records to a table as data."""

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
    """A flat table of the finished runs among the records.

    Args:
        records: Run records, as :func:`qat.records.store.find_records` returns them.
        columns: Names of settings, metrics, or paths such as ``protocol.training.max_epochs``; None
            for the default columns.
        group: More settings whose values get separate rows (``seed``: one row for each run).
        axes: Parts of the protocol, or paths in it, that differ on purpose. What a column shows
            may differ anyway.
        strict: Raise an error if rows differ in another part of the protocol.
        problems: Records that could not be read, for the footer.

    Raises:
        TableError: If a column is unknown, or with ``strict`` if the protocols of rows differ.

    Example:
        >>> run = RunRecord(id="a1", status="done", mode="float", seed=0, metrics={"top1": 0.9})
        >>> make_table([run], ["mode", "top1"]).rows[0].cells
        ('float', Statistic(mean=0.9, std=None, n=1))
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
    """A table of the finished runs among the records, in a given layout.

    Args:
        records: Run records, as :func:`qat.records.store.find_records` returns them.
        spec: Layout, rows and columns.
        published: Numbers from papers, in rows of their own; no mean includes them.
        strict: Raise an error if rows differ in a part of the protocol that is no axis.
        problems: Records that could not be read, for the footer.

    Raises:
        TableError: If a name is unknown; with ``strict``, if the protocols of rows differ; in a
            flat table, if not exactly one row of a block is the baseline; in a pivot, if two
            groups of runs belong into the same cell.
    """
    done = [record for record in records if record.status == "done" and _wanted(record, spec)]
    if spec.layout == "pivot":
        shown = [*spec.rows, *(spec.columns or ())]
        groups = grouped(done, shown, spec.group, spec.axes, strict)
        columns, rows, notes = pivot(groups, spec, published)
    else:
        columns = flat_columns(done, spec)
        names = [column.name for column in columns]
        groups = grouped(done, names, spec.group, spec.axes, strict)
        rows, notes = flat_rows(groups, columns, spec, published)
    words = [*_left_out(published, columns, rows), *footer(records, problems)]
    if spec.layout == "flat" and spec.columns is None:
        words += untimed(done)
    words = [*how_to_read(rows, done), *words]
    if spec.layout == "pivot" and len(spec.values) == 1:
        words = [f"cells: {make_column(spec.values[0], done).header}", *words]
    return Table(tuple(columns), tuple(rows), tuple(notes), tuple(words))


def _left_out(
    published: Sequence[Published], columns: Sequence[Column], rows: Sequence[Row]
) -> Iterable[str]:
    """Published numbers of shown metrics that have no cell: no run belongs to their column."""
    metrics = {column.of or column.name for column in columns if column.metric is not None}
    shown = [cell for row in rows if row.published for cell in row.cells]
    missing = [one for one in published if one.metric in metrics and one not in shown]
    if missing:
        words = ", ".join(f"{one.metric} of {' '.join(one.settings.values())}" for one in missing)
        yield f"{len(missing)} published, not in the table: no run has their column: {words}"


def _wanted(record: RunRecord, spec: TableSpec) -> bool:
    return all(setting_text(record, key) in values for key, values in spec.only.items())
