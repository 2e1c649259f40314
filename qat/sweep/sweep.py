"""A sweep skips finished points and launches the others until each of them has ended.

The record of a run has its state, also if the process that computed it was killed. So the sweep
launches jobs, reads the records, and launches again the runs that a dead worker pool lost.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from qat.base.exit_codes import DONE, FAILED
from qat.base.printing import complain_line, print_line
from qat.config.compose import Point
from qat.records.schema import canonical_json
from qat.records.studies import add_to_study, forget_outdated
from qat.report.printed import print_table
from qat.report.record_page import write_missing_pages
from qat.report.requested_table import TableRequest, requested_table
from qat.sweep.items import Item
from qat.sweep.progress import SweepProgress

LAUNCHES = 3
"""Number of launches of a run that does not start: a dead pool loses its waiting jobs."""
POLL_SECONDS = 1.0
_NOT_SETTINGS = ("hydra", "paths.", "force", "tracking")

Launch = Callable[[Sequence[Point]], None]


def run_sweep(
    points: Sequence[Point], items: Sequence[Item], launch: Launch, request: str = ""
) -> int:
    """Run the unfinished runs, then print the table and a summary.

    Args:
        points: All points of the request.
        items: Their different runs.
        launch: Runs some points, and returns when their jobs have ended.
        request: Word for what was typed, from :func:`request_word`.

    Returns:
        0 if all are done, 1 otherwise.
    """
    _index(items, request)
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
        elif "running" in states.values():  # another process computes these
            if not waiting:
                print("waiting for runs that another process computes", flush=True)
            waiting = True
            time.sleep(POLL_SECONDS)
        else:
            return


def next_batch(states: Mapping[str, str], launches: Mapping[str, int]) -> list[str]:
    """Ids of the runs to launch now.

    First all unfinished runs that were not launched yet. Then the runs that did not start because
    their worker pool died, up to :data:`LAUNCHES` times. Last the interrupted runs, one at a time
    and once, because one of them may have killed the pool.

    Args:
        states: Id → state of the run.
        launches: Id → number of launches so far.

    Example:
        >>> next_batch({"a": "absent", "b": "done", "c": "failed"}, {})
        ['a', 'c']
        >>> next_batch({"a": "interrupted", "b": "absent"}, {"a": 1, "b": 1})
        ['b']
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
    """The table of the study if all points belong to one; the default table otherwise."""
    folders = [item.folder for item in items]
    studies = {item.point.config.study.name for item in items}
    if len(studies) != 1:
        return TableRequest(folders)
    study = items[0].point.config.study
    return TableRequest(folders, study.table, study.name)


def request_word(overrides: Sequence[str]) -> str:
    """One word for a request: equal for the same settings, however they are ordered and computed.

    Example:
        >>> request_word(["seed=0,1", "hydra/launcher=parallel"]) == request_word(["seed=0,1"])
        True
    """
    settings = sorted(word for word in overrides if not word.startswith(_NOT_SETTINGS))
    return sha256(canonical_json(settings).encode()).hexdigest()[:16]


def _index(items: Sequence[Item], request: str) -> None:
    """Add the runs to the index of their study; forget those that the request stood for before."""
    ids_by_study: dict[tuple[str, str, str], list[str]] = {}
    for item in items:
        config = item.point.config
        if config.study.name:
            key = config.paths.runs, config.study.name, config.scale
            ids_by_study.setdefault(key, []).append(item.id)
    for (runs, study, scale), ids in ids_by_study.items():
        add_to_study(Path(runs), study, scale, ids, request)
        if request:
            forget_outdated(Path(runs), study, scale, ids, request)


def _view(items: Sequence[Item]) -> None:
    """Update the TensorBoard views of the studies of some runs."""
    configs = [item.point.config for item in items if item.point.config.tracking.tensorboard]
    layouts = {(c.paths.runs, c.study.name, c.scale): c.study.table for c in configs}
    for (runs, study, scale), layout in layouts.items():
        if not study:
            continue
        from qat.report.study_view import write_study_view  # imports matplotlib

        if folder := write_study_view(Path(runs), study, scale, layout):
            print_line(f"TensorBoard: tensorboard --logdir {folder}")


def complain_of_launcher(error: Exception) -> None:
    """Print that a launcher, or a job outside of its run, failed with an error."""
    text = " ".join(str(error).split())[:200]
    complain_line(f"the launcher ended with {type(error).__name__}: {text}")
