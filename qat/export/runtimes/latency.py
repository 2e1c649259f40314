"""How long exported networks take in a runtime, measured so that the comparison is fair.

Every runtime gets a process of its own, fresh: the thread pools of two runtimes spin for a while
after an inference and take each other's cores. Within it the networks take turns in blocks, so that
a busy spell of the machine meets them all, and a block is compared with the block beside it. A
block begins untimed: the threads of the network before it spin on for some milliseconds.
"""

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from qat.base.errors import InputError
from qat.export.runtimes.registry import make_runtime

FEWEST_REPEATS = 30
Blocks = Sequence[Sequence[float]]
"""Seconds of single inferences, by block."""
_PACKAGE_HOME = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class LatencySpec:
    """How to measure.

    Attributes:
        batches: Batch sizes; each is measured with each number of threads.
        threads: Cores one inference may use.
        repeats: Timed inferences of each network, over all blocks; rounded up to whole blocks.
        blocks: Turns of each network.
        warmup: Inferences of each network before its first block, not timed.
        settle_ms: How long a network runs untimed at the start of each block.

    Raises:
        ValueError: If there are no batch sizes or threads, or a number is too small.
    """

    batches: tuple[int, ...] = (1,)
    threads: tuple[int, ...] = (1,)
    repeats: int = 50
    blocks: int = 10
    warmup: int = 10
    settle_ms: float = 50

    def __post_init__(self) -> None:
        for name in ("batches", "threads"):
            values = getattr(self, name)
            if not values or min(values) < 1:
                raise InputError(f"latency {name} must be numbers of 1 or more, got {list(values)}")
        if self.repeats < FEWEST_REPEATS:
            least = f"{FEWEST_REPEATS} or more, for quartiles to mean something"
            raise InputError(f"latency repeats must be {least}, got {self.repeats}")
        if not 2 <= self.blocks <= self.repeats:
            allowed = f"2..repeats ({self.repeats})"
            raise InputError(f"latency blocks must be {allowed}, got {self.blocks}")
        if self.warmup < 1:
            raise InputError(f"latency warmup must be 1 or more, got {self.warmup}")
        if not 0 <= self.settle_ms < math.inf:
            raise InputError(f"latency settle_ms must be 0 or more, got {self.settle_ms}")


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """Milliseconds of one inference: median and quartiles over ``repeats``."""

    runtime: str
    version: str
    network: str
    batch: int
    threads: int
    median_ms: float
    lower_ms: float
    upper_ms: float
    repeats: int


@dataclass(frozen=True, slots=True)
class SpeedupRow:
    """Time of the baseline over that of a network, above 1 is faster; quartiles over ``blocks``.

    Each block's median is held against the baseline's in the same turn.
    """

    runtime: str
    network: str
    baseline: str
    batch: int
    threads: int
    median: float
    lower: float
    upper: float
    blocks: int


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """All that was measured."""

    rows: tuple[LatencyRow, ...]
    speedups: tuple[SpeedupRow, ...]


def measure_latency(
    files: Mapping[str, str | Path],
    shape: Sequence[int],
    spec: LatencySpec,
    runtimes: Sequence[str] = ("onnxruntime",),
    baseline: str = "float",
) -> LatencyReport:
    """Time ONNX files against each other in every runtime.

    Args:
        files: ONNX file by the network's name; all take the same images.
        shape: Of one image, ``(channels, height, width)``.
        spec: Batch sizes, threads, repetitions.
        runtimes: Names in :data:`qat.export.runtimes.registry.RUNTIMES`.
        baseline: Which of ``files`` the speed-ups are over.

    Raises:
        ValueError: If a runtime is unknown or not installed, a file cannot be loaded or takes other
            images, or ``baseline`` is not among the files.
        RuntimeError: If the process of a runtime died.
    """
    if baseline not in files:
        raise InputError(f"no network {baseline} to compare with; there are {', '.join(files)}")
    for name in runtimes:
        make_runtime(name).version()  # what is not installed is said before anything is measured
    rows: list[LatencyRow] = []
    speedups: list[SpeedupRow] = []
    for name in runtimes:
        found = _in_fresh_process(name, files, shape, spec)
        for case in found["cases"]:
            case_rows, case_speedups = _summarize(name, found["version"], case, baseline)
            rows += case_rows
            speedups += case_speedups
    return LatencyReport(tuple(rows), tuple(speedups))


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of two values or more."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, median, upper


def paired_speedups(baseline: Blocks, network: Blocks) -> list[float]:
    """Median of the baseline's block over that of the network's, block by block."""
    pairs = zip(baseline, network, strict=True)
    return [statistics.median(a) / statistics.median(b) for a, b in pairs]


def _summarize(
    runtime: str, version: str, case: Mapping[str, Any], baseline: str
) -> tuple[list[LatencyRow], list[SpeedupRow]]:
    batch, threads = case["batch"], case["threads"]
    rows, speedups = [], []
    for name, blocks in case["seconds"].items():
        ms = [1000 * value for block in blocks for value in block]
        low, mid, high = quartiles(ms)
        rows.append(LatencyRow(runtime, version, name, batch, threads, mid, low, high, len(ms)))
        if name != baseline:
            ratios = paired_speedups(case["seconds"][baseline], blocks)
            low, mid, high = quartiles(ratios)
            where = (runtime, name, baseline, batch, threads)
            speedups.append(SpeedupRow(*where, mid, low, high, len(ratios)))
    return rows, speedups


def _in_fresh_process(
    runtime: str, files: Mapping[str, str | Path], shape: Sequence[int], spec: LatencySpec
) -> dict[str, Any]:
    """What :mod:`qat.export.runtimes.latency_worker` found."""
    request = {
        "runtime": runtime,
        "files": {name: str(Path(file).resolve()) for name, file in files.items()},
        "shape": list(shape),
        "spec": asdict(spec),
    }
    with TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "request.json", Path(folder) / "answer.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        home = [str(_PACKAGE_HOME), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, "-m", "qat.export.runtimes.latency_worker", str(asked), str(answer)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, home))},
            capture_output=True,
            text=True,
            errors="replace",
        )
        if not answer.is_file():
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise RuntimeError(f"the process of {runtime} ended with {done.returncode}: {said}")
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in found:
        raise InputError(found["error"])
    return found


def some_images(batch: int, shape: Sequence[int], dtype: np.dtype[Any]) -> np.ndarray:
    """Images to time with: the same noise every time."""
    return np.random.default_rng(0).random((batch, *shape)).astype(dtype)
