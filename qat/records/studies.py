"""The runs of a study: an index of ids beside the runs, so that two studies can share a run.

``runs/.studies/<study>/<scale>/<id>`` is a small file for each run, with a line for each request
that the run belongs to. Adding a run needs no lock, adding it twice changes nothing, and a killed
process leaves nothing half written.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from qat.base.atomic import write_error
from qat.base.plain_names import check_plain_name

INDEX = ".studies"


def add_to_study(runs: Path, study: str, scale: str, ids: Iterable[str], request: str = "") -> None:
    """Write that these runs belong to a study.

    Args:
        runs: The folder of runs.
        study: Name of the study.
        scale: Name of the scale at which they run.
        ids: Of the runs.
        request: Word for what was typed; with it, :func:`forget_outdated` can forget the runs.

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
            _mark(folder / name, request)
    except OSError as error:
        raise write_error(folder, error) from error


def forget_outdated(runs: Path, study: str, scale: str, ids: Collection[str], request: str) -> None:
    """Forget runs that never started and that a request no longer stands for.

    If the settings of a study change, the same words stand for runs with other ids. Runs with a
    folder stay, and those that other words have asked for.

    Args:
        runs: The folder of runs.
        study: Name of the study.
        scale: Name of the scale at which they run.
        ids: Of the runs that the request stands for now.
        request: Word for what was typed.

    Raises:
        WriteError: If the disk refuses.
    """
    folder = runs / INDEX / study / scale
    try:
        for mark in folder.iterdir():
            if mark.name in ids or (runs / mark.name).exists():
                continue
            others = _requests(mark) - {request}
            if not others:
                mark.unlink(missing_ok=True)
            elif request in _requests(mark):
                mark.write_text("".join(f"{other}\n" for other in sorted(others)))
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


def _mark(mark: Path, request: str) -> None:
    mark.touch()
    if request and request not in _requests(mark):
        with mark.open("a", encoding="utf-8") as file:
            file.write(f"{request}\n")


def _requests(mark: Path) -> set[str]:
    """The requests that a run belongs to; none in a mark of an older version."""
    try:
        return set(mark.read_text(encoding="utf-8", errors="replace").split())
    except FileNotFoundError:  # another process has forgotten it
        return set()


def _marked_at(mark: Path) -> int:
    try:
        return mark.lstat().st_mtime_ns  # of the mark itself, not of what a link points to
    except OSError:  # deleted in the meantime
        return 0
