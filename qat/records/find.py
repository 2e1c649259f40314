"""Find a run's folder by a path, an id, the beginning of an id, or a name."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from qat.base.errors import InputError, UnknownNameError
from qat.records.names import all_words, label_of, run_names
from qat.records.schema import RunRecord
from qat.records.store import RECORD_NAME, find_records

SHOWN = 6
"""Most candidates that an error lists."""


def find_run(word: str, runs: Path) -> Path:
    """The folder of the run that a word names.

    Args:
        word: A run folder or its run.json; or an id, the beginning of an id, or a name. A folder
            of runs may stand before those (``other/0a1b``).
        runs: The folder of runs if none stands before the word.

    Raises:
        UnknownNameError: If there is no such run; it lists the nearest names.
        InputError: If the word fits several runs; it lists them.
    """
    path = Path(word).expanduser()
    if path.is_file() and path.name == RECORD_NAME:
        return path.parent
    if (path / RECORD_NAME).exists():
        return path
    root = path.parent if len(path.parts) > 1 else runs
    folders = _by_id(path.name, root) if path.name and root.is_dir() else []
    records = [] if folders else _records(root)
    folders = folders or _by_name(path.name, records)
    if len(folders) == 1:
        return root / folders[0]
    if folders:
        raise InputError(
            f"{word} may be {len(folders)} runs: {_listed(folders, root)}; "
            "type more of an id or a name"
        )
    if path.exists():
        return path  # a folder without a record, which the command reports
    raise UnknownNameError(f"no run {word!r} under {root}{_nearest(path.name, records)}")


def _by_id(word: str, root: Path) -> list[str]:
    """Names of the run folders that begin with the word; only the word if it is one of them."""
    if (root / word / RECORD_NAME).exists():
        return [word]
    return sorted(path.parent.name for path in root.glob(f"*/{RECORD_NAME}") if _begins(path, word))


def _begins(path: Path, word: str) -> bool:
    return path.parent.name.startswith(word)


def _by_name(word: str, records: Sequence[RunRecord]) -> list[str]:
    """Ids of the runs that a name fits, as shown with all the others or with some of them."""
    whole = [id_ for id_, name in run_names(records).items() if name == word]
    if whole:
        return whole
    parts = set(word.split("-"))
    widths = {record.id: label_of(record).split("-")[0] for record in records}
    return [r.id for r in records if widths[r.id] in parts and parts <= all_words(r)]


def _records(root: Path) -> list[RunRecord]:
    if not root.is_dir():
        return []
    return [r for r in find_records([root])[0] if (root / r.id / RECORD_NAME).exists()]


def _listed(ids: Sequence[str], root: Path) -> str:
    records, _ = find_records([root / id_ for id_ in ids])
    names = run_names(records)
    words = [f"{id_} ({names[id_]})" if id_ in names else id_ for id_ in ids[:SHOWN]]
    return ", ".join(words) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")


def _nearest(word: str, records: Iterable[RunRecord]) -> str:
    names = run_names(list(records))
    if not names:
        return "; `qat run` makes runs"
    near = difflib.get_close_matches(word, [*names.values(), *names], n=3, cutoff=0.5)
    near = near or list(names.values())[:3]
    return f"; there {'are' if len(names) > 1 else 'is'} {', '.join(near)}"
