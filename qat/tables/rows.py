"""Records to rows with their notes: what every layout begins with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qat.records.divergence import divergence_of
from qat.records.schema import RunRecord
from qat.records.store import RecordProblem
from qat.tables.cells import Cell
from qat.tables.collect import Group, group_records, sort_groups
from qat.tables.columns import SETTINGS, Column, metric_value, setting_text
from qat.tables.errors import TableError
from qat.tables.protocol import commit_notes, differences
from qat.tables.statistics import statistic


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows to be: groups of runs over seeds.

    Attributes:
        groups: One a row.
        notes: Of each, in words.
        unlike: Of each, in what its protocol differs from the usual one; empty where it does not.
    """

    groups: list[Group]
    notes: list[list[str]]
    unlike: list[str]


def grouped(
    records: Sequence[RunRecord],
    shown: Sequence[str],
    group: Sequence[str] = (),
    axes: Sequence[str] = (),
    strict: bool = False,
) -> Grouped:
    """Group finished records and say what makes each group unlike the others.

    Args:
        records: Finished ones.
        shown: Settings that the table shows, which are its axes anyway.
        group: More settings that keep rows apart.
        axes: Parts of the protocol that are varied on purpose.
        strict: Refuse what is unlike.

    Raises:
        TableError: With ``strict``, if rows are unlike.
    """
    groups = sort_groups(group_records(records, group))
    rows = [found.records for found in groups]
    unlike = differences(rows, [*axes, *_axes_of([*shown, *group], records)])
    if strict and unlike:
        raise TableError(_refusal(groups, unlike))
    words = [unlike.get(index, "") for index in range(len(groups))]
    return Grouped(groups, _notes(groups, unlike, commit_notes(rows)), words)


def numbered(notes: Iterable[Iterable[str]]) -> dict[str, int]:
    """Note → its number, from 1, in the order in which they first appear."""
    texts = dict.fromkeys(text for row in notes for text in row)
    return {text: index for index, text in enumerate(texts, start=1)}


def cell_of(records: Sequence[RunRecord], column: Column) -> Cell:
    """The cell of a group: a statistic of a metric, the text of a setting."""
    if column.metric is not None:
        return statistic(list(values_by_seed(records, column.name).values()))
    texts = dict.fromkeys(setting_text(record, column.name) for record in records)
    return ", ".join(text for text in texts if text is not None) or None


def values_by_seed(records: Iterable[RunRecord], name: str) -> dict[int, float]:
    """Seed → value of a metric, of the runs that have it."""
    found = ((record.seed, metric_value(record, name)) for record in records)
    return {seed: value for seed, value in found if value is not None}


def blocks(
    rows: Sequence[Sequence[RunRecord] | None],
    within: Sequence[str],
    unlike: Sequence[str] | None = None,
) -> list[list[int]]:
    """Indices of the rows that may be held against each other.

    Args:
        rows: Records of each; None is a row that is in no block.
        within: Settings in which they must agree.
        unlike: Of each, in what its protocol differs: a footnoted row stands against rows with the
            same footnote alone. None leaves the protocol aside.
    """
    found: dict[tuple[str | None, ...], list[int]] = {}
    for index, records in enumerate(rows):
        if records:
            settings = (setting_text(records[0], name) for name in within)
            key = (*settings, None if unlike is None else unlike[index])
            found.setdefault(key, []).append(index)
    return list(found.values())


def footer(records: Iterable[RunRecord], problems: Sequence[RecordProblem]) -> Iterable[str]:
    """What is not in the table, and why."""
    for status in ("running", "interrupted", "failed"):
        found = [record for record in records if record.status == status]
        if found:
            words = ", ".join(_unfinished(record) for record in found)
            yield f"{len(found)} {status}, not in the table: {words}"
    if problems:
        words = ", ".join(f"{problem.path} ({problem.reason})" for problem in problems)
        yield f"{len(problems)} unreadable, skipped: {words}"


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


def _notes(
    groups: Sequence[Group], unlike: Mapping[int, str], commits: Mapping[int, str]
) -> list[list[str]]:
    notes = []
    for index, group in enumerate(groups):
        gates = {r.id for r in group.records if r.gate == "failed"}
        gate = f"missed its gate: {', '.join(sorted(gates))}" if gates else None
        diverged = dict.fromkeys(line for r in group.records for line in divergence_of(r))
        texts = [unlike.get(index), group.apart, gate, *diverged, commits.get(index)]
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


def _unfinished(record: RunRecord) -> str:
    reason = f" ({record.error.splitlines()[0]})" if record.error else ""
    return f"{record.id}{reason}"
