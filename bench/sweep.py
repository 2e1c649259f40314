"""A sweep of 48 points against 48 calls of ``qat run``, on ResNet-20 and 1,000 test images.

    python -m bench.sweep [--data cifar10] [--checkpoint FILE] [--calls 8] [--out FILE]

The grid: 3 widths x 2 symmetries x 2 granularities of the weights x 4 calibrations (min-max, moving
average, percentile, least squared error), calibrated, not trained. The sweep starts with an empty
cache of calibrations; so does the series of calls, which then shares its cache as the sweep does.
The float network is there before either starts. Of the 48 calls ``--calls`` are made, evenly spread
over the grid and in turns with the sweep's repetitions; ``ratio`` is the sweep's time over 48 times
their median. ``again_seconds`` is the time of the finished sweep, asked for once more.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from bench._report import spread, write_report

GRID = {
    "scheme": ["w8a8", "w6a6", "w4a4"],
    "scheme.act.symmetric": ["true", "false"],
    "scheme.weight.granularity": ["tensor", "channel"],
    "observer@scheme.act": ["minmax", "ema", "percentile", "mse"],
}
COMMON = [
    "mode=static",
    "model=resnet20",
    "quantizer@scheme.weight=minmax",
    "quantizer@scheme.act=minmax",
    "data.test_images=1000",
]


def points() -> list[list[str]]:
    """Overrides of the 48 points."""
    axes = [[f"{key}={value}" for value in values] for key, values in GRID.items()]
    return [list(chosen) for chosen in itertools.product(*axes)]


def sweep_words() -> list[str]:
    """The same as one sweep."""
    return ["-m", *(f"{key}={','.join(values)}" for key, values in GRID.items())]


def seconds_of(words: Sequence[str], home: Path) -> float:
    """Wall seconds of one ``qat run``, in a process of its own.

    Raises:
        RuntimeError: If it fails.
    """
    environment = os.environ | {"QAT_RUNS": str(home / "runs"), "QAT_CACHE": str(home / "cache")}
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "qat", "run", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"qat run {' '.join(words)} failed: {done.stderr[-500:]}")
    return perf_counter() - start


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="synthetic")
    parser.add_argument("--checkpoint", type=Path, help="of the float network; else one epoch")
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    common = [*COMMON, f"data={options.data}"]
    if options.checkpoint:
        common.append(f"model.checkpoint={options.checkpoint}")
    else:
        common.append("float=smoke")
    if options.data == "synthetic":
        common += ["data.options.image_size=32", "data.train_images=2000"]
    grid = points()
    chosen = grid[:: max(len(grid) // options.calls, 1)]
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder) / "sweep", Path(folder) / "calls"
        for home in (one, many):
            seconds_of([*common, "mode=float"], home)
        calls = [seconds_of([*common, *words], many) for words in chosen[::2]]
        sweep = seconds_of([*common, *sweep_words()], one)
        calls += [seconds_of([*common, *words], many) for words in chosen[1::2]]
        again = seconds_of([*common, *sweep_words()], one)
    write_report(
        "sweep",
        {
            "points": len(grid),
            "call_seconds": spread(calls),
            "sweep_seconds": sweep,
            "again_seconds": again,
            "ratio": sweep / (len(grid) * statistics.median(calls)),
        },
        options.out,
    )


if __name__ == "__main__":
    main()
