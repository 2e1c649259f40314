"""A sweep: its points, which of them are done, the rest launched until each has ended.

Records tell how a run ended, whatever became of the process that computed it. So a round of jobs
is launched, the records are read, and what a dead worker pool lost is launched again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qat.base.exit_codes import DONE, FAILED
from qat.base.printing import complain_line, print_line
from qat.config.compose import Point
from qat.records.folder import RunFolder
from qat.records.schema import RecordError
from qat.records.studies import add_to_study
from qat.report.printed import print_table
from qat.report.record_page import write_missing_pages
from qat.report.requested_table import TableRequest, requested_table
from qat.run.identity import done_before
from qat.sweep.progress import SweepProgress

LAUNCHES = 3
"""How often a run that never started is launched: a pool that dies takes its waiting jobs along."""
POLL_SECONDS = 1.0

Launch = Callable[[Sequence[Point]], None]


@dataclass(frozen=True)
class Item:
    """One run of a sweep.

    Attributes:
        id: Of the run.
        point: What it was asked by.
        folder: Its run folder.
    """

    id: str
    point: Point
    folder: Path

    def state(self) -> str:
        """What a reader sees; ``damaged`` if the record cannot be read."""
        try:
            return RunFolder(self.folder).state()
        except RecordError:
            return "damaged"


def make_items(points: Iterable[Point], identify: Callable[[Point], str]) -> list[Item]:
    """The different runs among some points, in their order.

    Args:
        points: Composed.
        identify: Checks a point and gives its id; called for those that are not known to be done.
    """
    items: dict[str, Item] = {}
    for point in points:
        name = done_before(point.config) or identify(point)
        items.setdefault(name, Item(name, point, Path(point.config.paths.runs) / name))
    return list(items.values())


def run_sweep(points: Sequence[Point], items: Sequence[Item], launch: Launch) -> int:
    """Run what is not done, then print the table and how each run ended.

    Returns:
        0 if all are done, 1 otherwise.
    """
    _index(items)
    before = [item for item in items if not item.point.config.force and item.state() == "done"]
    pending = [item for item in items if item not in before]
    progress = SweepProgress(pending, len(points), before)
    progress.announce()
    try:
        with progress.watching():
            _run_pending(pending, launch)
    except KeyboardInterrupt:
        progress.summarise()
        raise
    write_missing_pages(i.folder for i in before if i.point.config.tracking.tensorboard)
    print_table(requested_table(_table_of(items)))
    _view(items)
    progress.summarise()
    return DONE if progress.all_done() else FAILED


def _run_pending(pending: Sequence[Item], launch: Launch) -> None:
    launches: Counter[str] = Counter()
    forced = {item.id for item in pending if item.point.config.force}
    waiting = False
    while True:
        states = {item.id: item.state() for item in pending}
        fresh = forced - launches.keys()
        batch = next_batch({i: "absent" if i in fresh else s for i, s in states.items()}, launches)
        if batch:
            launches.update(batch)
            launch([item.point for item in pending if item.id in batch])
        elif "running" in states.values():  # another sweep computes these
            if not waiting:
                print("waiting for runs that another process computes", flush=True)
            waiting = True
            time.sleep(POLL_SECONDS)
        else:
            return


def next_batch(states: Mapping[str, str], launches: Mapping[str, int]) -> list[str]:
    """Ids to launch now.

    First all that are not done and were not launched; then, again and again, those that never
    started because their worker pool died; last, one by one and once, those that were cut off:
    one of them may have killed the pool.

    Args:
        states: Id → state of its record.
        launches: Id → how often it was launched.
    """
    open_states = ("absent", "interrupted", "failed")
    fresh = [i for i, s in states.items() if s in open_states and not launches.get(i)]
    if fresh:
        return fresh
    lost = [i for i, s in states.items() if s == "absent" and launches[i] < LAUNCHES]
    if lost:
        return lost
    return [i for i, s in states.items() if s == "interrupted" and launches[i] == 1][:1]


def _table_of(items: Sequence[Item]) -> TableRequest:
    """The table of the study, if all points are of one; the usual one otherwise."""
    folders = [item.folder for item in items]
    studies = {item.point.config.study.name for item in items}
    if len(studies) != 1:
        return TableRequest(folders)
    study = items[0].point.config.study
    return TableRequest(folders, study.table, study.name)


def _index(items: Sequence[Item]) -> None:
    """Note the runs in the index of their study."""
    ids_by_study: dict[tuple[str, str, str], list[str]] = {}
    for item in items:
        config = item.point.config
        if config.study.name:
            key = config.paths.runs, config.study.name, config.scale
            ids_by_study.setdefault(key, []).append(item.id)
    for (runs, study, scale), ids in ids_by_study.items():
        add_to_study(Path(runs), study, scale, ids)


def _view(items: Sequence[Item]) -> None:
    """Bring the TensorBoard views of the items' studies up to date."""
    from qat.report.study_view import write_study_view  # it loads what draws

    configs = [item.point.config for item in items if item.point.config.tracking.tensorboard]
    layouts = {(c.paths.runs, c.study.name, c.scale): c.study.table for c in configs}
    for (runs, study, scale), layout in layouts.items():
        if study and (folder := write_study_view(Path(runs), study, scale, layout)):
            print_line(f"TensorBoard: tensorboard --logdir {folder}")


def complain_of_launcher(error: Exception) -> None:
    """Say that a launcher broke, or a job outside of its run; the records tell the rest."""
    text = " ".join(str(error).split())[:200]
    complain_line(f"the launcher ended with {type(error).__name__}: {text}")
