"""A sweep of 48 points against 48 calls of ``qat run``, on ResNet-20 and 1,000 test images.

    python -m bench.sweep [--data cifar10] [--checkpoint FILE] [--calls 8] [--out FILE]

The grid: 3 widths x 2 symmetries x 2 granularities of the weights x 4 calibrations (min-max, moving
average, percentile, least squared error), calibrated, not trained. The sweep starts with an empty
cache of calibrations; so does the series of calls, which then shares its cache as the sweep does.
The float network is there before either starts. Of the 48 calls ``--calls`` are made, evenly spread
over the grid, half of them before the sweep and half after it; ``ratio`` is the sweep's time over
48 times their median. ``again_seconds`` is the time of the finished sweep, asked for once more.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench import _commands
from bench._jobs import GRID, STATIC, add_network, grid_points, grid_words, network_of
from bench._report import spread, write_report


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds of the sweep, of single calls, and of the finished sweep.

    Args:
        args: Of the command line.
        folder: For runs and caches.
    """
    network = network_of(args)
    grid = grid_points(args.axes)
    chosen = grid[:: max(len(grid) // args.calls, 1)]
    one, many = folder / "sweep", folder / "calls"

    def seconds(words: list[str], home: Path) -> float:
        return _commands.run_qat(["run", *STATIC, *network, *words], home).wall_s

    for home in (one, many):
        _commands.run_qat(["run", "mode=float", *network], home)
    calls = [seconds(words, many) for words in chosen[::2]]
    sweep = seconds(grid_words(args.axes), one)
    calls += [seconds(words, many) for words in chosen[1::2]]
    again = seconds(grid_words(args.axes), one)
    return {
        "model": args.model,
        "points": len(grid),
        "call_seconds": spread(calls),
        "sweep_seconds": sweep,
        "again_seconds": again,
        "ratio": sweep / (len(grid) * statistics.median(calls)),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and report."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    add_network(words)
    words.add_argument("--axes", type=int, default=len(GRID), help="of the grid, the first ones")
    words.add_argument("--calls", type=int, default=8)
    words.add_argument("--out", type=Path, help="also write the JSON here")
    args = words.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        write_report("sweep", measure(args, Path(folder)), args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
