"""The runs of a study: an index of ids beside the runs, so that two studies can share a run.

``runs/.studies/<study>/<scale>/<id>`` is an empty file for each run. Adding a run needs no lock,
adding it twice changes nothing, and a killed process leaves nothing half written.
"""

from collections.abc import Iterable
from pathlib import Path

from qat.base.atomic import write_error
from qat.base.plain_names import check_plain_name

INDEX = ".studies"


def add_to_study(runs: Path, study: str, scale: str, ids: Iterable[str]) -> None:
    """Write that these runs belong to a study.

    Args:
        runs: The folder of runs.
        study: Name of the study.
        scale: Name of the scale at which they run.
        ids: Of the runs.

    Raises:
        InputError: If a name cannot be the name of a folder.
        WriteError: If the disk refuses.
    """
    check_plain_name("study.name", study)
    check_plain_name("scale", scale)
    folder = runs / INDEX / study / scale
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ids:
            (folder / name).touch()
    except OSError as error:
        raise write_error(folder, error) from error


def studies(runs: Path) -> list[str]:
    """Names of the studies that have runs, in alphabetical order."""
    root = runs / INDEX
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def scales_of(runs: Path, study: str) -> list[str]:
    """Scales at which a study has runs, the one with the latest run first.

    Args:
        runs: The folder of runs.
        study: Name of the study.
    """
    folder = runs / INDEX / study
    if not folder.is_dir():
        return []
    folders = [path for path in folder.iterdir() if path.is_dir()]
    newest = {
        path: max((_marked_at(mark) for mark in path.iterdir()), default=0) for path in folders
    }
    return [path.name for path in sorted(folders, key=lambda p: (-newest[p], p.name))]


def runs_of(runs: Path, study: str, scale: str) -> list[Path]:
    """Run folders of a study at one scale, in the order in which they were added.

    Args:
        runs: The folder of runs.
        study: Name of the study.
        scale: Name of the scale.
    """
    folder = runs / INDEX / study / scale
    if not folder.is_dir():
        return []
    marks = sorted(folder.iterdir(), key=lambda mark: (_marked_at(mark), mark.name))
    return [runs / mark.name for mark in marks]


def _marked_at(mark: Path) -> int:
    try:
        return mark.lstat().st_mtime_ns  # of the mark itself, not of what a link points to
    except OSError:  # deleted in the meantime
        return 0
