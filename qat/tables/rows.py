"""From records to groups of runs with their notes: the common first step of every layout."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qat.base.plurals import counted
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
    """Groups of runs over seeds, each of which becomes a row.

    Attributes:
        groups: One for each row.
        notes: Texts of the notes on each group.
        unlike: For each group, how its protocol differs from the most common one; empty if it
            does not.
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
    """Group finished records and describe how the protocol of each group differs.

    Args:
        records: Records of finished runs.
        shown: Settings that the table shows; these may differ between rows.
        group: More settings whose values get separate rows.
        axes: Parts of the protocol that differ on purpose.
        strict: Raise an error instead of adding a note if protocols differ.

    Raises:
        TableError: With ``strict``, if the protocols of the rows differ.
    """
    groups = sort_groups(group_records(records, group))
    rows = [entry.records for entry in groups]
    unlike = differences(rows, [*axes, *_axes_of([*shown, *group], records)])
    if strict and unlike:
        raise TableError(_refusal(groups, unlike))
    words = [unlike.get(index, "") for index in range(len(groups))]
    return Grouped(groups, _notes(groups, unlike, commit_notes(rows)), words)


def numbered(notes: Iterable[Iterable[str]]) -> dict[str, int]:
    """Text of a note → its number, from 1, in order of first appearance.

    Example:
        >>> numbered([["old commit"], [], ["other epochs", "old commit"]])
        {'old commit': 1, 'other epochs': 2}
    """
    texts = dict.fromkeys(text for row in notes for text in row)
    return {text: index for index, text in enumerate(texts, start=1)}


def cell_of(records: Sequence[RunRecord], column: Column) -> Cell:
    """The cell of a group: the statistic of a metric, or the text of a setting.

    Args:
        records: Runs of the group; their different settings are joined by commas.
        column: Column of the cell.
    """
    if column.metric is not None:
        return statistic(list(values_by_seed(records, column.name).values()))
    texts = dict.fromkeys(setting_text(record, column.name) for record in records)
    return ", ".join(text for text in texts if text is not None) or None


def values_by_seed(records: Iterable[RunRecord], name: str) -> dict[int, float]:
    """Seed → value of a metric, for the runs that have it.

    Args:
        records: Runs of different seeds.
        name: Name of the metric.
    """
    values = ((record.seed, metric_value(record, name)) for record in records)
    return {seed: value for seed, value in values if value is not None}


def blocks(
    rows: Sequence[Sequence[RunRecord] | None],
    within: Sequence[str],
    unlike: Sequence[str] | None = None,
) -> list[list[int]]:
    """Indices of the rows, as blocks within which rows may be compared.

    Args:
        rows: Records of each row; None for a row that belongs to no block.
        within: Settings whose values must be equal within a block.
        unlike: How the protocol of each row differs; only rows with the same text are compared.
            None ignores the protocol.
    """
    members: dict[tuple[str | None, ...], list[int]] = {}
    for index, records in enumerate(rows):
        if records:
            settings = (setting_text(records[0], name) for name in within)
            key = (*settings, None if unlike is None else unlike[index])
            members.setdefault(key, []).append(index)
    return list(members.values())


def footer(records: Iterable[RunRecord], problems: Sequence[RecordProblem]) -> Iterable[str]:
    """The lines that name what is not in the table, and why.

    Args:
        records: Records of every status.
        problems: Records that could not be read.
    """
    for status in ("running", "interrupted", "failed"):
        unfinished = [record for record in records if record.status == status]
        if unfinished:
            words = ", ".join(_unfinished(record) for record in unfinished)
            yield f"{len(unfinished)} {status}, not in the table: {words}"
    if problems:
        words = ", ".join(f"{problem.path} ({problem.reason})" for problem in problems)
        yield f"{len(problems)} unreadable, skipped: {words}"


def _axes_of(names: Iterable[str], records: Iterable[RunRecord]) -> list[str]:
    """Paths in the protocol that a column shows, under the name of a setting or as a path."""
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
        texts = [unlike.get(index), group.separate_because, gate, *diverged, commits.get(index)]
        notes.append([text for text in texts if text])
    return notes


def _refusal(groups: Sequence[Group], unlike: Mapping[int, str]) -> str:
    words = "; ".join(
        f"{groups[i].facts.label} ({groups[i].facts.mode}): {w}" for i, w in unlike.items()
    )
    verb = "has" if len(unlike) == 1 else "have"
    return (
        f"{counted(len(unlike), 'row')} {verb} another protocol than the others: {words}; leave "
        "these runs out, list the difference in axes, or drop --strict"
    )


def _unfinished(record: RunRecord) -> str:
    reason = f" ({record.error.splitlines()[0]})" if record.error else ""
    return f"{record.id}{reason}"
