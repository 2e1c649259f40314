"""A pivot table: settings head rows and columns, each cell shows one or more metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qat.records.schema import RunRecord
from qat.tables.best import best_rows
from qat.tables.cells import Cell, Row
from qat.tables.columns import (
    SETTINGS,
    Column,
    differing_networks,
    make_column,
    setting_text,
)
from qat.tables.errors import TableError
from qat.tables.layout import TableSpec
from qat.tables.published import Published
from qat.tables.rows import Grouped, blocks, cell_of, numbered

SettingValues = tuple[str, ...]
MISSING_SETTING = "–"
WIDTHS = ("weight_bits", "act_bits")


@dataclass(frozen=True, slots=True)
class _PivotCell:
    """The runs of a cell, the notes on them, and how their protocol differs."""

    records: Sequence[RunRecord]
    notes: Sequence[str]
    unlike: str


def pivot(
    groups: Grouped, spec: TableSpec, published: Sequence[Published]
) -> tuple[list[Column], list[Row], list[str]]:
    """The columns, the rows, and the texts of the notes in the order of their numbers.

    Args:
        groups: Groups of runs with their notes.
        spec: With settings for rows and columns, and metrics as values.
        published: Numbers from papers; only those whose column has runs are shown.

    Raises:
        TableError: If two groups belong into one cell; the message names the settings in which
            they differ. If a name is unknown.
    """
    assert spec.columns is not None
    runs = [record for group in groups.groups for record in group.records]
    networks = differing_networks(runs, [*spec.rows, *spec.columns])
    shown = (*networks, *spec.rows, *spec.columns)
    more = (name for name in spec.group if name not in shown)
    spec = replace(spec, rows=(*networks, *spec.rows, *more))
    assert spec.columns is not None
    places = _places(groups, spec.rows, spec.columns)
    row_keys = list(dict.fromkeys(key for key, _ in places))
    column_keys = _ordered(dict.fromkeys(key for _, key in places), spec.columns)
    all_records = [record for cell in places.values() for record in cell.records]
    heads = [make_column(name, all_records) for name in spec.rows]
    values = [make_column(name, all_records) for name in spec.values]
    columns = [*heads, *(_column(v, key, spec) for key in column_keys for v in values)]
    published = [one for one in published if _heading(one, spec.columns) in column_keys]
    published = [one for one in published if one.metric in spec.values]
    sources = [[one.note] for one in published]
    number = numbered([*(cell.notes for cell in places.values()), *sources])
    cells = [(key, value) for key in column_keys for value in values]
    bold = _bold(places, row_keys, cells, spec, len(heads))
    rows = [
        _row(places, key, cells, number, bold.get(key, frozenset()), len(heads)) for key in row_keys
    ]
    rows += _published_rows(published, spec, column_keys, values, number)
    return columns, rows, list(number)


def _places(
    groups: Grouped, rows: Sequence[str], columns: Sequence[str]
) -> dict[tuple[SettingValues, SettingValues], _PivotCell]:
    places: dict[tuple[SettingValues, SettingValues], _PivotCell] = {}
    for group, notes, unlike in zip(groups.groups, groups.notes, groups.unlike, strict=True):
        first = group.records[0]
        key = _key(first, rows), _key(first, columns)
        if key in places:
            raise TableError(_crowded(places[key].records[0], first, key))
        places[key] = _PivotCell(group.records, notes, unlike)
    return places


def _crowded(one: RunRecord, other: RunRecord, key: tuple[SettingValues, SettingValues]) -> str:
    differing = [
        n for n in SETTINGS if n != "seed" and setting_text(one, n) != setting_text(other, n)
    ]
    cure = f"add {' or '.join(differing)} to rows or columns" if differing else "use layout=flat"
    cell = " × ".join(" ".join(part) for part in key)
    return f"two settings belong into the cell {cell} (runs {one.id}, {other.id}): {cure}"


def _key(record: RunRecord, names: Sequence[str]) -> SettingValues:
    return tuple(setting_text(record, name) or MISSING_SETTING for name in names)


def _ordered(keys: Mapping[SettingValues, None], names: Sequence[str]) -> list[SettingValues]:
    """From wide to narrow if bit widths head the columns; otherwise in the given order."""
    if not set(names) <= set(WIDTHS):
        return list(keys)
    return sorted(keys, key=lambda key: [-float(part.split("-")[0]) for part in key])


def _column(value: Column, key: SettingValues, spec: TableSpec) -> Column:
    assert spec.columns is not None
    short = {"weight_bits": "W", "act_bits": "A"}
    names = [short.get(name, "") for name in spec.columns]
    over = " ".join(f"{name}{part}" for name, part in zip(names, key, strict=True))
    header = over if len(spec.values) == 1 else value.header
    return Column(
        f"{value.name}@{'/'.join(key)}",
        value.metric,
        header,
        of=value.name,
        over="" if len(spec.values) == 1 else over,
    )


def _row(
    places: Mapping[tuple[SettingValues, SettingValues], _PivotCell],
    key: SettingValues,
    cells: Sequence[tuple[SettingValues, Column]],
    number: Mapping[str, int],
    bold: frozenset[int],
    heads: int,
) -> Row:
    contents: list[Cell] = list(key)
    marks: dict[int, tuple[int, ...]] = {}
    for place, (column_key, value) in enumerate(cells, start=heads):
        cell = places.get((key, column_key))
        contents.append(None if cell is None else cell_of(cell.records, value))
        if cell is not None and cell.notes:
            marks[place] = tuple(number[text] for text in cell.notes)
    runs = [r for (row_key, _), p in places.items() if row_key == key for r in p.records]
    return Row(
        cells=tuple(contents),
        ids=tuple(record.id for record in runs),
        seeds=tuple(dict.fromkeys(record.seed for record in runs)),
        bold=bold,
        cell_marks=marks,
    )


def _bold(
    places: Mapping[tuple[SettingValues, SettingValues], _PivotCell],
    row_keys: Sequence[SettingValues],
    cells: Sequence[tuple[SettingValues, Column]],
    spec: TableSpec,
    heads: int,
) -> dict[SettingValues, frozenset[int]]:
    marked: dict[SettingValues, set[int]] = {}
    for place, (column_key, value) in enumerate(cells, start=heads):
        if value.name not in spec.bold or value.metric is None:
            continue
        in_column = [places.get((key, column_key)) for key in row_keys]
        runs = [cell.records if cell else None for cell in in_column]
        unlike = [cell.unlike if cell else "" for cell in in_column]
        for block in blocks(runs, spec.within, unlike):
            members = [runs[index] or () for index in block]
            for index in best_rows(members, value.name, value.metric):
                marked.setdefault(row_keys[block[index]], set()).add(place)
    return {key: frozenset(columns) for key, columns in marked.items()}


def _published_rows(
    published: Sequence[Published],
    spec: TableSpec,
    column_keys: Sequence[SettingValues],
    values: Sequence[Column],
    number: Mapping[str, int],
) -> list[Row]:
    assert spec.columns is not None
    rows: dict[tuple[str, ...], dict[tuple[SettingValues, str], Published]] = {}
    for one in published:
        # Settings that head no column separate the rows, shown or not: no number replaces another.
        hidden = sorted(f"{k}={v}" for k, v in one.settings.items() if k not in spec.columns)
        row = rows.setdefault((*hidden, one.source, one.tag), {})
        row[_heading(one, spec.columns), one.metric] = one
    table_rows = []
    for numbers in rows.values():
        first = next(iter(numbers.values()))
        head = _heading(first, spec.rows)
        cells = [numbers.get((key, value.name)) for key in column_keys for value in values]
        table_rows.append(
            Row(
                cells=(f"{head[0]}, {first.words}", *head[1:], *cells),
                marks=(number[first.note],),
                published=True,
            )
        )
    return table_rows


def _heading(one: Published, names: Sequence[str]) -> SettingValues:
    return tuple(one.settings.get(name, MISSING_SETTING) for name in names)
