"""A study in TensorBoard: its runs under readable names, and a page that compares them.

``<runs>.tensorboard/<study>/<run name>`` has relative links to the event files of a run, so that
``tensorboard --logdir`` for that folder shows only the study and nothing is stored twice. The views
are beside the runs folder: inside it TensorBoard would draw each curve twice. Beside the links
there is an additional TensorBoard run, ``_study``. It has the table, the figures, a list of run
names and run folders, and the columns of the HPARAMS tab that have a value in some run.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from qat.base.atomic import write_atomic, write_error
from qat.base.text import markdown_text
from qat.records.names import run_names
from qat.records.schema import RunRecord
from qat.tracking.layout import COLUMNS, EVENTS, FIRST_GROUP

VIEWS = ".tensorboard"
ALL_RUNS = "all"
"""Name of the view of all runs."""
PAGE_RUN, STAMP = "_study", "made_of"
PAGE_VERSION = "2"
"""Increased if the tags of the page change, so that it is written again."""


def view_names(records: Iterable[RunRecord]) -> dict[str, str]:
    """Run name → id; a name (``w4a4-lsq-qat-seed0``) has the settings in which the runs differ."""
    return {name: id_ for id_, name in run_names(list(records)).items()}


def views_folder(runs: Path) -> Path:
    """The folder of the views of a runs folder: ``runs.tensorboard`` beside ``runs``.

    Example:
        >>> views_folder(Path("/data/runs")).as_posix()
        '/data/runs.tensorboard'
    """
    whole = runs.absolute()
    return whole.with_name(whole.name + VIEWS)


def build_study_view(
    root: Path,
    study: str,
    runs: Mapping[str, Path],
    table: str,
    figures: Callable[[], Mapping[str, Figure]],
    content: str = "",
    records: Sequence[RunRecord] = (),
) -> Path:
    """Write the view of a study if something has changed; safe in several processes.

    Args:
        root: The runs folder.
        study: Name of the view, a folder name.
        runs: Run name → run folder. All other links are removed.
        table: The comparison as markdown.
        figures: Returns name → figure; called only if the page is written.
        content: Text that identifies the data of the figures; if it changes, the page is written
            again.
        records: Of the runs; if empty, each run's own description of the columns is linked.

    Returns:
        The folder for ``tensorboard --logdir``.

    Raises:
        WriteError: If the disk is full or the folder cannot be written.
    """
    from filelock import FileLock  # 0.15 s to import

    views = views_folder(root)
    folder = views / study
    links = _links_page(runs)
    stamp = hashlib.sha256("\0".join([PAGE_VERSION, table, links, content]).encode()).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(views / f"{study}.lock"):
            _link(folder, runs, described=not records)
            if _read(folder / PAGE_RUN / STAMP) != stamp:
                _write_page(folder / PAGE_RUN, table, links, figures(), records)
                # Last, so that a page of a killed process is written again.
                write_atomic(folder / PAGE_RUN / STAMP, stamp)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


def _link(folder: Path, runs: Mapping[str, Path], described: bool) -> None:
    for path in list(folder.iterdir()):
        if path.is_symlink():  # of an older version, which linked folders
            path.unlink()
        elif path.name not in {*runs, PAGE_RUN} and path.is_dir():
            _unlink(path)
    for name, run in runs.items():
        own = folder / name
        own.mkdir(exist_ok=True)
        files = [f for f in run.glob(f"{EVENTS}/*tfevents*") if described or f.suffix != COLUMNS]
        wanted = {file.name: os.path.relpath(file, own) for file in files}
        for link in list(own.iterdir()):
            if link.is_symlink() and os.readlink(link) != wanted.get(link.name):  # noqa: PTH115
                link.unlink()
        for file_name, target in wanted.items():
            if not (own / file_name).is_symlink():
                (own / file_name).symlink_to(target)


def _unlink(folder: Path) -> None:
    """Remove a folder that contains only links; any other folder stays."""
    if all(path.is_symlink() for path in folder.iterdir()):
        shutil.rmtree(folder)


def _links_page(runs: Mapping[str, Path]) -> str:
    lines = [f"| {markdown_text(name)} | {markdown_text(str(run))} |" for name, run in runs.items()]
    return "\n".join(["| run | folder |", "|---|---|", *lines])


def _write_page(
    folder: Path,
    table: str,
    links: str,
    figures: Mapping[str, Figure],
    records: Sequence[RunRecord],
) -> None:
    from qat.tracking.hparams import config_summary
    from qat.tracking.tensorboard import open_events, write_columns, write_figures  # torch

    shutil.rmtree(folder, ignore_errors=True)
    with open_events(folder) as writer:
        writer.add_text(f"{FIRST_GROUP}/1 table", table)
        writer.add_text(f"{FIRST_GROUP}/2 folders", links)
        write_figures(writer, in_order(figures), group=FIRST_GROUP)
    if records:
        write_columns(folder, config_summary(records=records))


def in_order(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Figures with numbered names, because TensorBoard sorts them by name.

    Example:
        >>> list(in_order({"size": Figure(), "bits": Figure()}))
        ['1 size', '2 bits']
    """
    digits = len(str(len(figures)))
    return {f"{n:0{digits}} {name}": f for n, (name, f) in enumerate(figures.items(), 1)}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
