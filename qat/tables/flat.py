"""A flat table: a row a setting, measured ones first, published ones below."""

from collections.abc import Mapping, Sequence

from qat.records.metrics import Metric
from qat.records.schema import RunRecord
from qat.tables.best import not_told_apart
from qat.tables.columns import Column, default_columns, make_column, setting_text
from qat.tables.data import Cell, Row
from qat.tables.errors import TableError
from qat.tables.layout import TableSpec
from qat.tables.paired import paired_difference
from qat.tables.published import Published
from qat.tables.rows import Grouped, cell_of, numbered, values_by_seed

BEST_WORDS = (
    "bold: not told apart from the best (95 % paired t over seeds; with fewer than 3 seeds "
    "nothing is)"
)


def flat_columns(records: Sequence[RunRecord], spec: TableSpec) -> list[Column]:
    """The columns, differences to the baseline after the metric they are of."""
    names = list(spec.columns) if spec.columns is not None else _usual(records, spec.group)
    names += [name for name in (*spec.compare, *spec.bold) if name not in names]
    columns = []
    for name in names:
        column = make_column(name, records)
        columns.append(column)
        if name in spec.compare:
            columns.append(_difference_column(column, spec.baseline))
    return columns


def flat_rows(
    found: Grouped, columns: Sequence[Column], spec: TableSpec, published: Sequence[Published]
) -> tuple[list[Row], list[str]]:
    """Rows, and the notes they are marked with, numbered from 1."""
    sources = [[f"published: {one.source}"] for one in published]
    number = numbered([*found.notes, *sources])
    bold = _bold(found, columns, spec)
    base = _baseline(found, spec)
    rows = [
        Row(
            cells=tuple(_cell(group.records, column, base) for column in columns),
            marks=tuple(number[text] for text in texts),
            ids=tuple(record.id for record in group.records),
            seeds=tuple(record.seed for record in group.records),
            bold=bold[index],
        )
        for index, (group, texts) in enumerate(zip(found.groups, found.notes, strict=True))
    ]
    return rows + _published_rows(published, columns, number), list(number)


def _usual(records: Sequence[RunRecord], group: Sequence[str]) -> list[str]:
    names = default_columns(records)
    return [*names[:1], *(name for name in group if name not in names), *names[1:]]


def _difference_column(column: Column, baseline: Mapping[str, str]) -> Column:
    if column.metric is None:
        raise TableError(f"compare names {column.name}, which is no metric")
    base = column.metric
    unit = "points" if base.unit == "%" else base.unit
    words = " ".join(baseline.values())
    shown = Metric(base.label, unit, base.factor, base.decimals, base.higher_is_better)
    header = f"{base.label} − {words}" + (f" [{unit}]" if unit else "")
    return Column(f"{column.name}_difference", shown, header, of=column.name)


def _cell(records: Sequence[RunRecord], column: Column, base: Sequence[RunRecord] | None) -> Cell:
    if column.of is None:
        return cell_of(records, column)
    if base is None or base is records:
        return None
    return paired_difference(values_by_seed(records, column.of), values_by_seed(base, column.of))


def _baseline(found: Grouped, spec: TableSpec) -> Sequence[RunRecord] | None:
    if not spec.baseline:
        return None
    for group in found.groups:
        first = group.records[0]
        if all(setting_text(first, key) == value for key, value in spec.baseline.items()):
            return group.records
    words = ", ".join(f"{key}={value}" for key, value in spec.baseline.items())
    raise TableError(f"no row is the baseline {words}: no finished run has these settings")


def _bold(found: Grouped, columns: Sequence[Column], spec: TableSpec) -> list[frozenset[int]]:
    marked: list[set[int]] = [set() for _ in found.groups]
    for place, column in enumerate(columns):
        if column.name not in spec.bold or column.metric is None:
            continue
        for block in _blocks(found, spec.within):
            values = [values_by_seed(found.groups[i].records, column.name) for i in block]
            better = column.metric.higher_is_better is not False
            for index in not_told_apart(values, better):
                marked[block[index]].add(place)
    return [frozenset(columns_of_row) for columns_of_row in marked]


def _blocks(found: Grouped, within: Sequence[str]) -> list[list[int]]:
    blocks: dict[tuple[str | None, ...], list[int]] = {}
    for index, group in enumerate(found.groups):
        key = tuple(setting_text(group.records[0], name) for name in within)
        blocks.setdefault(key, []).append(index)
    return list(blocks.values())


def _published_rows(
    published: Sequence[Published], columns: Sequence[Column], number: Mapping[str, int]
) -> list[Row]:
    rows: dict[tuple[str, ...], dict[str, Published]] = {}
    for one in published:
        key = (*(f"{k}={v}" for k, v in sorted(one.settings.items())), one.source, one.tag)
        rows.setdefault(key, {})[one.metric] = one
    found = []
    for metrics in rows.values():
        first = next(iter(metrics.values()))
        cells = tuple(_published_cell(column, first, metrics) for column in columns)
        mark = number[f"published: {first.source}"]
        found.append(Row(cells=cells, marks=(mark,), published=True))
    return found


def _published_cell(column: Column, first: Published, metrics: Mapping[str, Published]) -> Cell:
    if column.metric is not None:
        one = metrics.get(column.name)
        return None if one is None else published_text(one, column.metric)
    if column.name == "run":
        return f"published ({first.tag})" if first.tag else "published"
    return first.settings.get(column.name)


def published_text(one: Published, metric: Metric) -> str:
    """A published number as it is shown, with as many digits as a measured one."""
    return f"{one.value * metric.factor:.{metric.decimals}f}"
