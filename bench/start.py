"""What a command takes before and beside its computing: CPU and wall seconds of whole processes.

    python -m bench.start [--only import refused] [--rounds 5] [--data cifar10 --checkpoint FILE]
                          [--out FILE]

In turns, each in a process of its own, one round before them not timed:

    import       ``import qat``
    refused      ``qat run schem=nope``, which says what is wrong
    finished     a finished static run, asked for once more: it is shown
    sweep_again  a finished sweep of 48 points, asked for once more
    static       a static run whose float network and calibration are in the cache

``user_s`` is user CPU time of the process and its children, which depends less on other load than
``wall_s``. Compare CPU times with ``OMP_NUM_THREADS=1``.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bench import _commands
from bench._commands import Taken
from bench._jobs import GRID, add_network, jobs, network_of, prepared, timed
from bench._report import spread, write_report

COMMANDS = ("import", "refused", "finished", "sweep_again", "static")


def commands(args: argparse.Namespace, folder: Path) -> dict[str, Callable[[], Taken]]:
    """What is timed, by name, with all that it starts from.

    Args:
        args: Of the command line.
        folder: For runs and caches.
    """
    network = network_of(args)
    every = jobs(network, args.axes)
    runs: dict[str, Callable[[], Taken]] = {}
    for name in args.only:
        home = folder / name
        if name == "import":
            runs[name] = partial(_commands.run_python, ["-c", "import qat"], home)
        else:
            runs[name] = partial(timed, every[name], prepared(every[name], home))
    return runs


def measure(
    runs: Mapping[str, Callable[[], Taken]], rounds: int, warmup: int
) -> dict[str, dict[str, Any]]:
    """Spread of the times of every command.

    Args:
        runs: By name.
        rounds: Timed ones.
        warmup: Rounds before those.
    """
    taken: dict[str, list[Taken]] = {name: [] for name in runs}
    for number in range(-warmup, rounds):
        for name, run in runs.items():
            time = run()
            if number >= 0:
                taken[name].append(time)
    return {
        name: {key: spread([asdict(time)[key] for time in times]) for key in asdict(times[0])}
        for name, times in taken.items()
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--warmup", type=int, default=1)
    add_network(words)
    words.add_argument("--axes", type=int, default=len(GRID), help="of the sweep, the first ones")
    words.add_argument("--out", type=Path, help="also write the JSON here")
    args = words.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(args, Path(folder))
        results = measure(runs, args.rounds, args.warmup)
    write_report("start", results, args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
