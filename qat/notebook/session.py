"""Carry out a request as a command does, and leave the process as it was."""

import contextlib
import gc
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout

from qat.base.printing import complaints_kept
from qat.base.progress import progress_of
from qat.notebook.errors import RunWarning
from qat.report.console import draw_progress
from qat.sweep.hydra_main import QUIET_LOGGERS, quiet_libraries


@contextmanager
def session(verbose: bool) -> Iterator[None]:
    """Inside the block, a request prints what the command prints, or nothing.

    Without output, a complaint of the command becomes a :class:`RunWarning` after the block. The
    state of torch's random generators, warning filters and log levels are those from before.

    Args:
        verbose: Print, and draw progress in a terminal.
    """
    complaints: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(_log_levels_kept())
        stack.enter_context(_random_state_kept())
        stack.enter_context(progress_of(silent=not verbose))
        stack.callback(gc.unfreeze)  # of what a command that ends soon leaves to the system
        if verbose:
            draw_progress()
        else:
            stack.enter_context(redirect_stdout(io.StringIO()))
            complaints = stack.enter_context(complaints_kept())
        quiet_libraries()
        yield
    for line in complaints:
        warnings.warn(line, RunWarning, stacklevel=5)  # of the call of qat.run


@contextmanager
def _log_levels_kept() -> Iterator[None]:
    levels = {name: logging.getLogger(name).level for name in QUIET_LOGGERS}
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _random_state_kept() -> contextlib.AbstractContextManager[None]:
    """Keep the state of the generators of the CPU and of the GPUs in use."""
    if "torch" not in sys.modules:  # then nobody has drawn from them
        return contextlib.nullcontext()
    import torch

    used = torch.cuda.is_available() and torch.cuda.is_initialized()
    return torch.random.fork_rng(range(torch.cuda.device_count()) if used else ())
