"""What every benchmark reports: figures with their spread, and the machine they are of."""

import datetime
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch

from bench._words import without_paths
from qat.records.environment import cpu_facts, git_facts


def load_1min() -> float | None:
    """Load of the last minute, as the system says it; None where it says none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


_LOAD_BEFORE = load_1min()
"""As this process started, before it loads the machine itself."""


def spread(values: Sequence[float]) -> dict[str, float]:
    """``n``, ``median``, ``q1`` and ``q3`` of ``values``; the median alone of fewer than two.

    Raises:
        ValueError: If there are no values.
    """
    if not values:
        raise ValueError("a spread needs at least one value, got none; measure once or more")
    summary: dict[str, float] = {"n": len(values), "median": statistics.median(values)}
    if len(values) > 1:
        summary["q1"], _, summary["q3"] = statistics.quantiles(values, n=4, method="inclusive")
    return summary


def interleaved_times(
    runs: Mapping[str, Callable[[], object]], repeats: int, warmup: int = 1
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Wall and CPU seconds of every run, in turns: a busy spell of the machine meets them all.

    CPU seconds are those of all threads of this process. They depend less on other load, but
    threads that wait for each other by spinning add to them: compare them with one thread.

    Args:
        runs: What to time, by name.
        repeats: Timed rounds.
        warmup: Rounds before those, not timed.
    """
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(-warmup, repeats):
        for name, run in runs.items():
            start, cpu_start = perf_counter(), process_time()
            run()
            if round_number >= 0:
                wall[name].append(perf_counter() - start)
                cpu[name].append(process_time() - cpu_start)
    return wall, cpu


def interleaved_seconds(
    runs: Mapping[str, Callable[[], object]], repeats: int, warmup: int = 1
) -> dict[str, list[float]]:
    """The wall seconds of :func:`interleaved_times`.

    Args:
        runs: What to time, by name.
        repeats: Timed rounds.
        warmup: Rounds before those, not timed.
    """
    return interleaved_times(runs, repeats, warmup)[0]


def paired_ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """Spread of ``above[i] / below[i]``: values of one round are compared with each other."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def machine() -> dict[str, Any]:
    """CPU, cores, threads, device, versions, commit and the time: what a figure depends on."""
    project = git_facts(Path(__file__).resolve().parents[1])
    return {
        "commit": project["commit"],
        "dirty": project["dirty"],
        "cpu": cpu_facts()[0],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_before_1min": _LOAD_BEFORE,
        "load_1min": load_1min(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def write_report(name: str, results: Mapping[str, Any], out: Path | None) -> dict[str, Any]:
    """Print the report as JSON, and write it to ``out`` if that is given.

    Args:
        name: Of the benchmark.
        results: Its figures.
        out: File to write, its folder is made.

    Returns:
        ``{"bench", "command", "machine", "results"}``.
    """
    report = {
        "bench": name,
        "command": without_paths(f"python -m bench.{name}", sys.argv[1:]),
        "machine": machine(),
        "results": dict(results),
    }
    text = json.dumps(report, indent=2)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
    print(text)
    return report
