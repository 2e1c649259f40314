"""Records to a table, as data: columns, rows, numbered notes, footer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qat.records.schema import RunRecord
from qat.records.store import Problem
from qat.tables.collect import Group, group_records, sort_groups
from qat.tables.columns import SETTINGS, Column, default_columns, make_column, setting_text
from qat.tables.errors import TableError
from qat.tables.protocol import commit_notes, differences
from qat.tables.statistics import Statistic, statistic

Cell = str | Statistic | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        cells: One a column; None where there is no value.
        marks: Numbers of the notes that concern it, from 1.
        ids: Ids of its runs.
        seeds: Their seeds.
    """

    cells: tuple[Cell, ...]
    marks: tuple[int, ...]
    ids: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as data; see :func:`qat.tables.render.render`.

    Attributes:
        columns: What the columns are.
        rows: Finished runs, grouped over seeds.
        notes: Numbered from 1: what makes a row unlike the others.
        footer: What is not in the table, and why.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    footer: tuple[str, ...]


def make_table(
    records: Sequence[RunRecord],
    columns: Sequence[str] | None = None,
    group: Sequence[str] = (),
    axes: Sequence[str] = (),
    strict: bool = False,
    problems: Sequence[Problem] = (),
) -> Table:
    """Make a table of the finished runs among some records.

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
    done = [record for record in records if record.status == "done"]
    names = list(columns) if columns is not None else _with(group, default_columns(done))
    shown = tuple(make_column(name, done) for name in names)
    groups = sort_groups(group_records(done, group))
    rows = [found.records for found in groups]
    unlike = differences(rows, [*axes, *_axes_of([*names, *group], done)])
    if strict and unlike:
        raise TableError(_refusal(groups, unlike))
    notes = _numbered(groups, unlike, commit_notes(rows))
    texts = dict.fromkeys(text for row in notes for text in row)
    number = {text: index for index, text in enumerate(texts, start=1)}
    return Table(
        columns=shown,
        rows=tuple(
            _row(found, shown, tuple(number[text] for text in texts_of_row))
            for found, texts_of_row in zip(groups, notes, strict=True)
        ),
        notes=tuple(texts),
        footer=tuple(_footer(records, problems)),
    )


def _with(group: Sequence[str], names: list[str]) -> list[str]:
    front = [name for name in group if name not in names]
    return [*names[:1], *front, *names[1:]]


def _axes_of(names: Iterable[str], records: Iterable[RunRecord]) -> list[str]:
    """Paths of the protocol that a column shows already, under its own name or as a path."""
    axes = [name.removeprefix("protocol.") for name in names if name.startswith("protocol.")]
    shown = {name for name in names if name in SETTINGS}
    parts = {
        (part, key)
        for record in records
        for part in record.protocol
        for key in record.protocol[part]
    }
    return axes + [f"{part}.{key}" for part, key in sorted(parts) if key in shown]


def _row(group: Group, columns: Iterable[Column], marks: tuple[int, ...]) -> Row:
    return Row(
        cells=tuple(_cell(group.records, column) for column in columns),
        marks=marks,
        ids=tuple(record.id for record in group.records),
        seeds=tuple(record.seed for record in group.records),
    )


def _cell(records: Sequence[RunRecord], column: Column) -> Cell:
    if column.metric is not None:
        return statistic([r.metrics[column.name] for r in records if column.name in r.metrics])
    texts = dict.fromkeys(setting_text(record, column.name) for record in records)
    return ", ".join(text for text in texts if text is not None) or None


def _numbered(
    groups: Sequence[Group], unlike: Mapping[int, str], commits: Mapping[int, str]
) -> list[list[str]]:
    """The notes of each row, in words."""
    notes = []
    for index, group in enumerate(groups):
        gates = {r.id for r in group.records if r.gate == "failed"}
        gate = f"missed its gate: {', '.join(sorted(gates))}" if gates else None
        texts = [unlike.get(index), group.apart, gate, commits.get(index)]
        notes.append([text for text in texts if text])
    return notes


def _refusal(groups: Sequence[Group], unlike: Mapping[int, str]) -> str:
    words = "; ".join(
        f"{groups[i].facts.label} ({groups[i].facts.mode}): {w}" for i, w in unlike.items()
    )
    return (
        f"{len(unlike)} rows were not made under the protocol of the others: {words}; leave them "
        f"out, name the axis, or drop --strict"
    )


def _footer(records: Iterable[RunRecord], problems: Sequence[Problem]) -> Iterable[str]:
    for status in ("running", "interrupted", "failed"):
        found = [record for record in records if record.status == status]
        if found:
            words = ", ".join(_unfinished(record) for record in found)
            yield f"{len(found)} {status}, not in the table: {words}"
    if problems:
        words = ", ".join(f"{problem.path} ({problem.reason})" for problem in problems)
        yield f"{len(problems)} unreadable, skipped: {words}"


def _unfinished(record: RunRecord) -> str:
    reason = f" ({record.error.splitlines()[0]})" if record.error else ""
    return f"{record.id}{reason}"
