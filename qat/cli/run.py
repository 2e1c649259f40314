"""``qat run`` checks every point of the request, then starts one run or a sweep."""

from collections.abc import Sequence

from qat.base.exit_codes import DONE, FAILED
from qat.config.compose import is_accepted
from qat.config.register import register_schema
from qat.config.words.command_line import SHOWING, known_words, sort_words
from qat.report.console import draw_progress
from qat.sweep.hydra_main import checked_for_hydra, hydra_main, quiet_libraries
from qat.sweep.requested import run_requested
from qat.sweep.shown import show_finished
from qat.sweep.single import single_run


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
        return run_requested(sorted_words).code
    run = single_run(sorted_words)
    if run.prepared is None:
        return show_finished(run.folder, run.has_page)
    from qat.sweep.job import run_job  # imports torch

    return DONE if run_job(run.prepared) else FAILED
