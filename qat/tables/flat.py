"""A flat table: one row for each group of runs, then the rows of published numbers."""

from collections.abc import Mapping, Sequence

from qat.records.metrics import MetricFormat
from qat.records.names import row_names
from qat.records.schema import RunRecord
from qat.tables.best import best_rows
from qat.tables.cells import Cell, Row
from qat.tables.columns import (
    Column,
    default_columns,
    differing_networks,
    make_column,
    setting_text,
)
from qat.tables.errors import TableError
from qat.tables.layout import TableSpec
from qat.tables.paired import paired_difference
from qat.tables.published import Published
from qat.tables.rows import Grouped, blocks, cell_of, numbered, values_by_seed


def flat_columns(records: Sequence[RunRecord], spec: TableSpec) -> list[Column]:
    """The columns; a difference to the baseline follows its metric.

    Args:
        records: Finished runs; the default columns depend on in what they differ.
        spec: Columns, baseline, and metrics to compare or to set bold.

    Raises:
        TableError: If a column is unknown, or a setting is to be compared like a metric.
    """
    if spec.columns is None:
        names = _usual(records, spec.group)
    else:
        names = [*differing_networks(records, spec.columns), *spec.columns]
    names += [name for name in (*spec.compare, *spec.bold) if name not in names]
    columns = []
    for name in names:
        column = make_column(name, records)
        columns.append(column)
        if name in spec.compare:
            columns.append(_difference_column(column, spec.baseline))
    return columns


def flat_rows(
    groups: Grouped, columns: Sequence[Column], spec: TableSpec, published: Sequence[Published]
) -> tuple[list[Row], list[str]]:
    """The rows, and the texts of the notes in the order of their numbers.

    Args:
        groups: Groups of runs with their notes.
        columns: From :func:`flat_columns`.
        spec: Baseline, bold metrics, and the settings within which rows are compared.
        published: Numbers from papers; those of other metrics are left out.

    Raises:
        TableError: If no row, or more than one row of a block, is the baseline.
    """
    metrics = {column.name for column in columns}
    published = [one for one in published if one.metric in metrics]
    sources = [[one.note] for one in published]
    number = numbered([*groups.notes, *sources])
    bold = _bold(groups, columns, spec)
    bases = _baselines(groups, spec)
    names = row_names([group.records[0] for group in groups.groups])
    rows = [
        Row(
            cells=tuple(
                names[index] if column.name == "run" else _cell(group.records, column, bases[index])
                for column in columns
            ),
            marks=tuple(number[text] for text in texts),
            ids=tuple(record.id for record in group.records),
            seeds=tuple(record.seed for record in group.records),
            bold=bold[index],
        )
        for index, (group, texts) in enumerate(zip(groups.groups, groups.notes, strict=True))
    ]
    return rows + _published_rows(published, columns, number), list(number)


def _usual(records: Sequence[RunRecord], group: Sequence[str]) -> list[str]:
    names = default_columns(records)
    return [*names[:1], *(name for name in group if name not in names), *names[1:]]


def _difference_column(column: Column, baseline: Mapping[str, str]) -> Column:
    if column.metric is None:
        raise TableError(
            f"compare takes metrics, got {column.name}; see qat list metrics, or remove it"
        )
    base = column.metric
    unit = "points" if base.unit == "%" else base.unit
    words = " ".join(baseline.values())
    shown = MetricFormat(base.label, unit, base.factor, base.decimals, base.higher_is_better)
    header = f"{base.label} − {words}" + (f" [{unit}]" if unit else "")
    return Column(f"{column.name}_difference", shown, header, of=column.name)


def _cell(records: Sequence[RunRecord], column: Column, base: Sequence[RunRecord] | None) -> Cell:
    if column.of is None:
        return cell_of(records, column)
    if base is None or base is records:
        return None
    return paired_difference(values_by_seed(records, column.of), values_by_seed(base, column.of))


def _baselines(groups: Grouped, spec: TableSpec) -> list[Sequence[RunRecord] | None]:
    """For each row the baseline of its own block; None if the block has no baseline."""
    rows = [group.records for group in groups.groups]
    bases: list[Sequence[RunRecord] | None] = [None] * len(rows)
    if not spec.baseline:
        return bases
    for block in blocks(rows, spec.within):
        matches = _baseline([rows[index] for index in block], spec)
        for index in block:
            bases[index] = _own_baseline(matches, rows[index], spec.group)
    if not any(bases):
        raise TableError(
            f"no row is the baseline {_pairs(spec.baseline)}: no finished run has these settings"
        )
    return bases


def _baseline(rows: Sequence[Sequence[RunRecord]], spec: TableSpec) -> list[Sequence[RunRecord]]:
    """The baseline of a block: one row, or with ``group`` one for each of its values."""
    matches = [
        row
        for row in rows
        if all(setting_text(row[0], key) == value for key, value in spec.baseline.items())
    ]
    if len({_values(row, spec.group) for row in matches}) < len(matches):
        raise TableError(
            f"{len(matches)} rows are the baseline {_pairs(spec.baseline)} (runs "
            f"{', '.join(row[0].id for row in matches)}): add more settings to baseline until "
            "only one row has them"
        )
    return matches


def _own_baseline(
    matches: Sequence[Sequence[RunRecord]], row: Sequence[RunRecord], group: Sequence[str]
) -> Sequence[RunRecord] | None:
    """The baseline of a row: the only one, or the one with the same values of ``group``."""
    if len(matches) == 1:
        return matches[0]
    values = _values(row, group)
    return next((match for match in matches if _values(match, group) == values), None)


def _values(row: Sequence[RunRecord], names: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(setting_text(row[0], name) for name in names)


def _pairs(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items())


def _bold(groups: Grouped, columns: Sequence[Column], spec: TableSpec) -> list[frozenset[int]]:
    marked: list[set[int]] = [set() for _ in groups.groups]
    for place, column in enumerate(columns):
        if column.name not in spec.bold or column.metric is None:
            continue
        rows = [group.records for group in groups.groups]
        for block in blocks(rows, spec.within, groups.unlike):
            members = [rows[index] for index in block]
            for index in best_rows(members, column.name, column.metric):
                marked[block[index]].add(place)
    return [frozenset(columns_of_row) for columns_of_row in marked]


def _published_rows(
    published: Sequence[Published], columns: Sequence[Column], number: Mapping[str, int]
) -> list[Row]:
    rows: dict[tuple[str, ...], dict[str, Published]] = {}
    for one in published:
        key = (*(f"{k}={v}" for k, v in sorted(one.settings.items())), one.source, one.tag)
        rows.setdefault(key, {})[one.metric] = one
    table_rows = []
    for metrics in rows.values():
        first = next(iter(metrics.values()))
        cells = [_published_cell(column, first, metrics) for column in columns]
        if columns[0].metric is None and all(column.name != "run" for column in columns):
            cells[0] = f"{cells[0]}, {first.words}" if cells[0] else first.words
        mark = number[first.note]
        table_rows.append(Row(cells=tuple(cells), marks=(mark,), published=True))
    return table_rows


def _published_cell(column: Column, first: Published, metrics: Mapping[str, Published]) -> Cell:
    if column.metric is not None:
        return metrics.get(column.name)
    return first.words if column.name == "run" else first.settings.get(column.name)
