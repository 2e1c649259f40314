"""A request of several runs: the points of a grid, or those that another sweeper chooses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from qat.base.progress import tracked
from qat.config.compose import Point, compose_points
from qat.config.words.command_line import Words
from qat.records.studies import runs_of
from qat.run.request.checks import check_request
from qat.sweep.adaptive import SCALE, check_sweeper, dimension_points, is_adaptive, plan_search
from qat.sweep.hydra_main import hydra_main
from qat.sweep.items import make_items
from qat.sweep.kept_points import keep_points
from qat.sweep.launch import at_hand, check_launchers, launch, run_point
from qat.sweep.points import check_point, named_errors, requested_points
from qat.sweep.study_table import check_study_table
from qat.sweep.sweep import request_word, run_sweep


@dataclass(frozen=True)
class SweepEnd:
    """How a request of several runs ended.

    Attributes:
        code: Exit code: 0 if all runs are done, 1 otherwise.
        folders: Folders of the different runs, in the order of the points.
    """

    code: int
    folders: Sequence[Path]


def run_requested(words: Words) -> SweepEnd:
    """Run the unfinished points of a grid, or let another sweeper choose points.

    Args:
        words: The command line.

    Raises:
        RequestError: If a point or the launcher is wrong. Then nothing was started.
        TableError: If the table of the study is wrong; the same.
    """
    sweeper = check_launchers(words).sweeper
    if is_adaptive(sweeper):
        return _search(words, sweeper)
    points = requested_points(words)
    check_study_table(points[0].config.study.table)
    for point in points:  # check all of them before the first one loads its data
        with named_errors(point, len(points) > 1):
            check_request(point.config)

    printed: set[tuple[str, str | None]] = set()

    def identify(point: Point) -> str:
        from qat.run.inputs import print_inputs  # imports torch

        prepared = check_point(point, len(points) > 1)
        inputs = (prepared.data.digest, prepared.checkpoint_digest)
        if inputs not in printed:
            printed.add(inputs)
            print_inputs(prepared)
        at_hand[prepared.id] = prepared
        return prepared.id

    items = make_items(tracked("checking", points), identify)
    keep_points(words, points)
    try:
        code = run_sweep(points, items, partial(launch, words), request_word(words.overrides))
    finally:
        at_hand.clear()
    return SweepEnd(code, [item.folder for item in items])


def _search(words: Words, sweeper: DictConfig) -> SweepEnd:
    """Check every choice of every dimension, then let an adaptive sweeper choose points."""
    from qat.sweep.search import run_search

    check_sweeper(sweeper)
    params = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    to_check = dimension_points(words.overrides, params)
    points = [p for words_ in to_check for p in compose_points(words_, False, words.extra_dir)]
    for point in points:
        check_point(point, named=True)
    search = plan_search(sweeper, words.overrides)
    flags = ["--config-dir", str(words.extra_dir)] if words.extra_dir else []
    line = [*words.overrides, *search.overrides, *flags, "-m"]
    code = run_search(search, sweeper, points, lambda: hydra_main(line, run_point))
    return SweepEnd(code, runs_of(Path(points[0].config.paths.runs), search.name, SCALE))
