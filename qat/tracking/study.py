"""A study on TensorBoard: its runs under readable names, and a page that compares them.

``<runs>.tensorboard/<study>/<run name>`` is a relative link to the events of a run, so that
``tensorboard --logdir`` over that folder shows the study alone and nothing is stored twice. The
views lie beside the runs folder: inside, TensorBoard would draw each curve of it twice. Beside
the links lies a run of TensorBoard's own, ``_study``, with the table, the figures, and a page that
says which name is which run folder.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from qat.base.text import markdown_text
from qat.records.atomic import write_atomic, write_error
from qat.records.names import run_names
from qat.records.schema import RunRecord

VIEWS, EVENTS = ".tensorboard", "tb"
ALL_RUNS = "all"
"""Name of the view of all runs; a study's has its scale behind it."""
PAGE_RUN, STAMP = "_study", "made_of"


def view_names(records: Iterable[RunRecord]) -> dict[str, str]:
    """Name → id: ``w4a4-lsq-qat-seed0``, with the settings in which the runs differ."""
    return {name: id_ for id_, name in run_names(list(records)).items()}


def views_folder(runs: Path) -> Path:
    """Where the views of a runs folder lie: ``runs.tensorboard`` beside ``runs``."""
    whole = runs.absolute()
    return whole.with_name(whole.name + VIEWS)


def build_study_view(
    root: Path,
    study: str,
    runs: Mapping[str, Path],
    table: str,
    figures: Callable[[], Mapping[str, Figure]],
    content: str = "",
) -> Path:
    """Make the view anew, or leave it where nothing has changed; safe from several processes.

    Args:
        root: The runs folder.
        study: Name of the view, a folder name.
        runs: Name → run folder. Links that are not among them are removed.
        table: The comparison as markdown.
        figures: Makes name → figure; called only where the page is written.
        content: What the figures are made of: another one has the page written again.

    Returns:
        The folder to give to TensorBoard.

    Raises:
        WriteError: If the disk refuses.
    """
    from filelock import FileLock  # 0.15 s to import

    views = views_folder(root)
    folder = views / study
    links = _links_page(runs)
    stamp = hashlib.sha256("\0".join([table, links, content]).encode()).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(views / f"{study}.lock"):
            _link(folder, runs)
            if _read(folder / PAGE_RUN / STAMP) != stamp:
                _write_page(folder / PAGE_RUN, table, links, figures())
                write_atomic(folder / PAGE_RUN / STAMP, stamp)  # last: a kill leaves it undone
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


def _link(folder: Path, runs: Mapping[str, Path]) -> None:
    for path in folder.iterdir():
        if path.is_symlink() and path.name not in runs:
            path.unlink()
    for name, run in runs.items():
        link, target = folder / name, os.path.relpath(run / EVENTS, folder)
        if link.is_symlink() and os.readlink(link) != target:  # noqa: PTH115
            link.unlink()
        if not link.is_symlink():
            link.symlink_to(target, target_is_directory=True)


def _links_page(runs: Mapping[str, Path]) -> str:
    lines = [f"| {markdown_text(name)} | {markdown_text(str(run))} |" for name, run in runs.items()]
    return "\n".join(["| run | folder |", "|---|---|", *lines])


def _write_page(folder: Path, table: str, links: str, figures: Mapping[str, Figure]) -> None:
    from qat.tracking.tensorboard import open_events, write_figures  # torch, only where needed

    shutil.rmtree(folder, ignore_errors=True)
    with open_events(folder) as writer:
        writer.add_text("study/table", table)
        writer.add_text("study/where", links)  # behind the table, by the alphabet
        write_figures(writer, figures)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
