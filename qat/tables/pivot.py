"""A pivot: settings against settings, a metric or several in each cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qat.records.schema import RunRecord
from qat.tables.best import not_told_apart
from qat.tables.cells import Cell, Row
from qat.tables.columns import (
    SETTINGS,
    Column,
    make_column,
    networks_apart,
    setting_text,
)
from qat.tables.errors import TableError
from qat.tables.layout import TableSpec
from qat.tables.published import Published
from qat.tables.rows import Grouped, blocks, cell_of, numbered, values_by_seed

Key = tuple[str, ...]
MISSING_SETTING = "–"
WIDTHS = ("weight_bits", "act_bits")


@dataclass(frozen=True, slots=True)
class _Place:
    """A cell's runs, the notes on them, and in what their protocol is unlike the others'."""

    records: Sequence[RunRecord]
    notes: Sequence[str]
    unlike: str


def pivot(
    found: Grouped, spec: TableSpec, published: Sequence[Published]
) -> tuple[list[Column], list[Row], list[str]]:
    """Columns, rows, and notes numbered from 1.

    Raises:
        TableError: If two settings meet in one cell, saying in what they differ.
    """
    assert spec.columns is not None
    runs = [record for group in found.groups for record in group.records]
    apart = networks_apart(runs, [*spec.rows, *spec.columns])
    spec = replace(spec, rows=(*apart, *spec.rows))
    assert spec.columns is not None
    places = _places(found, spec.rows, spec.columns)
    row_keys = list(dict.fromkeys(key for key, _ in places))
    column_keys = _ordered(dict.fromkeys(key for _, key in places), spec.columns)
    all_records = [record for place in places.values() for record in place.records]
    heads = [make_column(name, all_records) for name in spec.rows]
    values = [make_column(name, all_records) for name in spec.values]
    columns = [*heads, *(_column(v, key, spec) for key in column_keys for v in values)]
    published = [one for one in published if _heading(one, spec.columns) in column_keys]
    published = [one for one in published if one.metric in spec.values]
    sources = [[one.note] for one in published]
    number = numbered([*(place.notes for place in places.values()), *sources])
    cells = [(key, value) for key in column_keys for value in values]
    bold = _bold(places, row_keys, cells, spec, len(heads))
    rows = [
        _row(places, key, cells, number, bold.get(key, frozenset()), len(heads)) for key in row_keys
    ]
    rows += _published_rows(published, spec, column_keys, values, number)
    return columns, rows, list(number)


def _places(
    found: Grouped, rows: Sequence[str], columns: Sequence[str]
) -> dict[tuple[Key, Key], _Place]:
    places: dict[tuple[Key, Key], _Place] = {}
    for group, notes, unlike in zip(found.groups, found.notes, found.unlike, strict=True):
        first = group.records[0]
        key = _key(first, rows), _key(first, columns)
        if key in places:
            raise TableError(_crowded(places[key].records[0], first, key))
        places[key] = _Place(group.records, notes, unlike)
    return places


def _crowded(one: RunRecord, other: RunRecord, key: tuple[Key, Key]) -> str:
    differing = [
        n for n in SETTINGS if n != "seed" and setting_text(one, n) != setting_text(other, n)
    ]
    cure = f"add {' or '.join(differing)} to rows or columns" if differing else "list it flat"
    cell = " × ".join(" ".join(part) for part in key)
    return f"two settings meet in the cell {cell} (runs {one.id}, {other.id}): {cure}"


def _key(record: RunRecord, names: Sequence[str]) -> Key:
    return tuple(setting_text(record, name) or MISSING_SETTING for name in names)


def _ordered(keys: Mapping[Key, None], names: Sequence[str]) -> list[Key]:
    """Wide to narrow where widths head the columns; as they came otherwise."""
    if not set(names) <= set(WIDTHS):
        return list(keys)
    return sorted(keys, key=lambda key: [-float(part.split("-")[0]) for part in key])


def _column(value: Column, key: Key, spec: TableSpec) -> Column:
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
    places: Mapping[tuple[Key, Key], _Place],
    key: Key,
    cells: Sequence[tuple[Key, Column]],
    number: Mapping[str, int],
    bold: frozenset[int],
    heads: int,
) -> Row:
    found: list[Cell] = list(key)
    marks: dict[int, tuple[int, ...]] = {}
    for place, (column_key, value) in enumerate(cells, start=heads):
        there = places.get((key, column_key))
        found.append(None if there is None else cell_of(there.records, value))
        if there is not None and there.notes:
            marks[place] = tuple(number[text] for text in there.notes)
    runs = [r for (row_key, _), p in places.items() if row_key == key for r in p.records]
    return Row(
        cells=tuple(found),
        ids=tuple(record.id for record in runs),
        seeds=tuple(dict.fromkeys(record.seed for record in runs)),
        bold=bold,
        cell_marks=marks,
    )


def _bold(
    places: Mapping[tuple[Key, Key], _Place],
    row_keys: Sequence[Key],
    cells: Sequence[tuple[Key, Column]],
    spec: TableSpec,
    heads: int,
) -> dict[Key, frozenset[int]]:
    marked: dict[Key, set[int]] = {}
    for place, (column_key, value) in enumerate(cells, start=heads):
        if value.name not in spec.bold or value.metric is None:
            continue
        there = [places.get((key, column_key)) for key in row_keys]
        runs = [place_of.records if place_of else None for place_of in there]
        unlike = [place_of.unlike if place_of else "" for place_of in there]
        for block in blocks(runs, spec.within, unlike):
            values = [values_by_seed(runs[index] or (), value.name) for index in block]
            for index in not_told_apart(values, value.metric.higher_is_better is not False):
                marked.setdefault(row_keys[block[index]], set()).add(place)
    return {key: frozenset(found) for key, found in marked.items()}


def _published_rows(
    published: Sequence[Published],
    spec: TableSpec,
    column_keys: Sequence[Key],
    values: Sequence[Column],
    number: Mapping[str, int],
) -> list[Row]:
    assert spec.columns is not None
    rows: dict[tuple[str, ...], dict[tuple[Key, str], Published]] = {}
    for one in published:
        # All that the columns do not say keeps rows apart, shown or not: no number hides another.
        apart = sorted(f"{k}={v}" for k, v in one.settings.items() if k not in spec.columns)
        row = rows.setdefault((*apart, one.source, one.tag), {})
        row[_heading(one, spec.columns), one.metric] = one
    found = []
    for numbers in rows.values():
        first = next(iter(numbers.values()))
        head = _heading(first, spec.rows)
        cells = [numbers.get((key, value.name)) for key in column_keys for value in values]
        found.append(
            Row(
                cells=(f"{head[0]}, {first.words}", *head[1:], *cells),
                marks=(number[first.note],),
                published=True,
            )
        )
    return found


def _heading(one: Published, names: Sequence[str]) -> Key:
    return tuple(one.settings.get(name, MISSING_SETTING) for name in names)
