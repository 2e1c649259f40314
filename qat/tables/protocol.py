"""In which parts of the protocol the rows of a table differ, as text for the notes.

A part that only one of two rows has is no difference. Rows of different data sets are not
compared; the parts ``data`` and ``float`` are compared only between rows of the same model.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from qat.records.memo import once_a_record
from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord, canonical_json

OF_ONE_NETWORK = ("data", "float")
# Rules, post-training steps and the choice of widths are part of a row's method, like its
# quantizer. The images that they used are protocol.
OF_THE_METHOD = (
    "evaluation.rules",
    "ptq.steps",
    "ptq.options",
    *(
        f"allocation.{name}"
        for name in ("allocator", "metric", "budgets", "options", "then", "widths", "slots")
    ),
)
# The digest of the data covers these already; notes describe how the files were read.
OF_THE_DIGEST = ("data.images_per_class", "data.notes")
DIGEST_DIGITS = 12


@once_a_record
def leaves(record: RunRecord) -> Mapping[str, str]:
    """The protocol as a flat mapping: dotted path → value as JSON."""
    return MappingProxyType(dict(_walk("", record.protocol)))


@lru_cache(maxsize=4096)  # the records of a table have the same paths
def names_float_network(path: str) -> bool:
    """True for the paths that identify the float network: its seed and its digests.

    Example:
        >>> names_float_network("float.checkpoint_digest"), names_float_network("float.model")
        (True, False)
    """
    last = path.rpartition(".")[2]
    return path.startswith("float.") and (last.endswith("seed") or "digest" in last)


def differences(rows: Sequence[Sequence[RunRecord]], axes: Iterable[str] = ()) -> dict[int, str]:
    """How each row differs from the most common protocol of the table.

    Args:
        rows: Records of each row.
        axes: Paths or parts that differ on purpose (``training.max_epochs``, ``training``).

    Returns:
        Row index → text, for the rows that differ. If two values are equally common, the value of
        the first row counts as the most common one.
    """
    parts: dict[int, list[str]] = {}
    shared = [_shared_leaves(row) for row in rows]
    for path in dict.fromkeys(path for row in shared for path in row):
        if _is_axis(path, (*axes, *OF_THE_METHOD, *OF_THE_DIGEST)):
            continue
        for block in _blocks(rows, path):
            for index, words in _odd_ones(
                path, {i: shared[i][path] for i in block if path in shared[i]}
            ):
                parts.setdefault(index, []).append(words)
    return {index: "; ".join(words) for index, words in sorted(parts.items())}


def commit_notes(rows: Sequence[Sequence[RunRecord]]) -> dict[int, str]:
    """Row index → text that names its commits, if the rows of the table have several commits."""
    commits = [dict.fromkeys(_commit(record) for record in row) for row in rows]
    if len({commit for row in commits for commit in row}) < 2:
        return {}
    usual = Counter(commit for row in commits for commit in row).most_common(1)[0][0]
    return {
        index: f"made at commit {' and '.join(row)}, others at {usual}"
        for index, row in enumerate(commits)
        if list(row) != [usual]
    }


def _commit(record: RunRecord) -> str:
    commit = record.environment.get("commit")
    if not commit:
        return "unknown"
    return str(commit)[:DIGEST_DIGITS] + ("+changes" if record.environment.get("dirty") else "")


def _shared_leaves(row: Sequence[RunRecord]) -> dict[str, str]:
    """Values that are equal in all runs of a row; what depends on the seed is no difference."""
    first, *others = [leaves(record) for record in row]
    return {
        path: value
        for path, value in first.items()
        if all(other.get(path) == value for other in others)
        and not (path.endswith(".seed") and not path.startswith("float."))
    }


def _blocks(rows: Sequence[Sequence[RunRecord]], path: str) -> Iterable[list[int]]:
    of_one_network = path.partition(".")[0] in OF_ONE_NETWORK
    blocks: dict[tuple[str | None, str | None], list[int]] = {}
    for index, row in enumerate(rows):
        facts = run_facts(row[0])
        model = facts.model if of_one_network else None
        blocks.setdefault((facts.data, model), []).append(index)
    return blocks.values()


def _odd_ones(path: str, values: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    if len(set(values.values())) < 2:
        return
    usual = Counter(values.values()).most_common(1)[0][0]
    for index, value in values.items():
        if value != usual:
            yield index, f"{path} {_words(value)}, others {_words(usual)}"


def _is_axis(path: str, axes: Iterable[str]) -> bool:
    return any(path == axis or path.startswith(f"{axis}.") for axis in axes)


def _words(value: str) -> str:
    text = value.strip('"')
    is_digest = len(text) >= 40 and all(c in "0123456789abcdef" for c in text)
    return text[:DIGEST_DIGITS] if is_digest else text


def _walk(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(inner, dict | MappingProxyType):
            yield from _walk(path, inner)
        else:
            yield path, _as_json(inner) if type(inner) in (str, int) else canonical_json(inner)


@lru_cache(maxsize=4096, typed=True)  # the records of a table share most values
def _as_json(value: str | int) -> str:
    return canonical_json(value)
