"""``qat run`` checks every point of the request, then starts one run or a sweep."""

from collections.abc import Sequence
from pathlib import Path

from qat.base.exit_codes import DONE, FAILED
from qat.base.garbage import loading_modules
from qat.config.compose import is_accepted
from qat.config.register import register_schema
from qat.config.words.command_line import SHOWING, known_words, sort_words
from qat.records.folder import RunFolder
from qat.report.console import draw_progress
from qat.run.progress import stage
from qat.run.request.checks import check_request
from qat.run.request.identity import finished_run_id
from qat.sweep.hydra_main import checked_for_hydra, hydra_main, quiet_libraries
from qat.sweep.points import check_point, named_errors, requested_points
from qat.sweep.requested import run_requested
from qat.sweep.shown import show_finished


def run_command(words: Sequence[str]) -> int:
    """Carry out a request: one run, a sweep, or what Hydra's own flags show.

    Args:
        words: The words after ``qat run``.

    Returns:
        0 if all runs are done, 1 if one failed.

    Raises:
        RequestError: If the request is wrong. Then nothing was started.
    """
    quiet_libraries()
    draw_progress()
    register_schema()
    if any(word.split("=")[0] in SHOWING for word in words):
        return hydra_main(checked_for_hydra(words), lambda config: None)
    sorted_words = known_words(sort_words(words), is_accepted)
    if sorted_words.multirun:
        return run_requested(sorted_words)
    point = requested_points(sorted_words)[0]
    with named_errors(point, named=False):
        check_request(point.config)
        name = finished_run_id(point.config)
    if name is not None:
        folder = RunFolder(Path(point.config.paths.runs) / name)
        return show_finished(folder, point.config.tracking.tensorboard)
    with stage("loading", verbose=False):
        with loading_modules():
            from qat.sweep.job import run_job  # imports torch

        prepared = check_point(point, named=False)
    return DONE if run_job(prepared) else FAILED
