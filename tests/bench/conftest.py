"""Commands that a benchmark starts, in this process: quick, and errors of words still show."""

import os
from time import perf_counter, process_time

import pytest

from bench import _commands
from qat.cli.main import main

SMALL = [
    *("--model", "simple_cnn", "--test-images", "10", "--image-size", "8", "--axes", "1"),
    *("--also", "tracking=none", "--also", "tracking.figures=false", "--also", "measure.repeats=1"),
    *("--also", "measure.warmup=0", "--also", "data.train_images=64"),
]
"""Words of a benchmark whose runs last a second."""


def in_this_process(words, home, checkout=_commands.PROJECT, returncode=0):
    """Like :func:`bench._commands.run_qat`, without a process of its own."""
    start, cpu = perf_counter(), process_time()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _commands.environment(home, checkout).items():
            if name.startswith("QAT_"):
                patch.setenv(name, value)
        code = main(list(words))
    if code != returncode:
        raise _commands.CommandError(f"qat {' '.join(words)} ended with {code}, not {returncode}")
    return _commands.Taken(perf_counter() - start, process_time() - cpu, 0.0)


@pytest.fixture
def commands_here(monkeypatch, home):
    """Every ``qat`` of a benchmark runs in this process."""
    monkeypatch.setattr(_commands, "run_qat", in_this_process)
    assert os.environ["QAT_RUNS"].startswith(str(home))
