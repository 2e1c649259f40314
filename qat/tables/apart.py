"""Words that tell groups of runs apart if all settings that figures show are equal."""

import json
from collections.abc import Sequence

from qat.tables.collect import Group
from qat.tables.protocol import leaves, names_float_network


def words_apart(groups: Sequence[Group]) -> list[str | None]:
    """For each group, the settings in which it differs from the others.

    Args:
        groups: Groups whose shown settings are equal.

    Returns:
        Such as ``dampening 0.1``, with the last word of each path; the seeds if no setting of the
        protocol differs (each seed then has a plan of its own); None for a group that has none of
        the settings that differ, or for a single group.

    Example:
        >>> from qat.records.schema import RunRecord
        >>> aids = ({"dampening": 0.1}, {})
        >>> runs = [RunRecord("r", "done", "qat", 0, protocol={"training": a}) for a in aids]
        >>> words_apart([Group((run,)) for run in runs])
        ['dampening 0.1', None]
    """
    values = [leaves(group.records[0]) for group in groups]
    paths = [
        path
        for path in dict.fromkeys(path for own in values for path in own)
        if len({own.get(path) for own in values}) > 1
        and not path.endswith(".seed")
        and not names_float_network(path)
    ]
    if len(groups) > 1 and not paths:
        return [_seeds(group) for group in groups]
    # A part that some groups lack tells nothing by values that all others share.
    telling = [p for p in paths if len({own[p] for own in values if p in own}) > 1]
    paths = telling or paths
    return [
        ", ".join(_words(path, own[path]) for path in paths if own.get(path, "null") != "null")
        or None
        for own in values
    ]


def _words(path: str, value: str) -> str:
    plain = json.loads(value)
    return f"{path.rpartition('.')[2]} {plain if isinstance(plain, str) else value}".replace(
        "_", " "
    )


def _seeds(group: Group) -> str:
    seeds = [str(record.seed) for record in group.records]
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}"
