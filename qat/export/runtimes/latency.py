"""Latency of exported networks in a runtime, measured for a fair comparison.

Each runtime has a new process of its own: the threads of a runtime wait actively for a while after
an inference and would take cores from another runtime. In this process the networks are measured
in turns, block by block, so that other load on the machine affects all of them; a block is compared
with the block of the baseline in the same turn. The first runs of a block are not timed, because
the threads of the previous network are active for some milliseconds more.
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
"""Seconds of single inferences, for each block."""
_PACKAGE_HOME = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class LatencySpec:
    """Settings of a latency measurement.

    Attributes:
        batches: Batch sizes; each is measured with each number of threads.
        threads: Numbers of cores that one inference may use.
        repeats: Timed inferences of each network in all blocks, rounded up to whole blocks.
        blocks: Number of blocks of each network.
        warmup: Inferences of each network before its first block, not timed.
        settle_ms: Milliseconds that a network runs untimed at the start of each block.

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
            least = f"{FEWEST_REPEATS} or more, for meaningful quartiles"
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
    """Milliseconds of one inference: median and quartiles over ``repeats`` inferences."""

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
    """Time of the baseline divided by that of a network; above 1 the network is faster.

    Median and quartiles over ``blocks``; each ratio has the medians of two blocks of the same turn.
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
    """All latencies and speed-ups of a measurement."""

    rows: tuple[LatencyRow, ...]
    speedups: tuple[SpeedupRow, ...]


def measure_latency(
    files: Mapping[str, str | Path],
    shape: Sequence[int],
    spec: LatencySpec,
    runtimes: Sequence[str] = ("onnxruntime",),
    baseline: str = "float",
) -> LatencyReport:
    """Measure the latency of several ONNX files in each runtime.

    Args:
        files: Name of the network → ONNX file; all take images of the same shape.
        shape: Shape of one image, ``(channels, height, width)``.
        spec: Batch sizes, threads, repetitions.
        runtimes: Names in :data:`qat.export.runtimes.registry.RUNTIMES`.
        baseline: Name of the network with which the others are compared.

    Raises:
        ValueError: If a runtime is unknown or not installed, a file cannot be loaded or takes other
            images, or ``baseline`` is not among the files.
        RuntimeError: If the process of a runtime ended without a result.
    """
    if baseline not in files:
        raise InputError(f"no network {baseline} to compare with; there are {', '.join(files)}")
    for name in runtimes:
        make_runtime(name).version()  # a missing package is an error before the first measurement
    rows: list[LatencyRow] = []
    speedups: list[SpeedupRow] = []
    for name in runtimes:
        answer = _in_fresh_process(name, files, shape, spec)
        for case in answer["cases"]:
            case_rows, case_speedups = _summarize(name, answer["version"], case, baseline)
            rows += case_rows
            speedups += case_speedups
    return LatencyReport(tuple(rows), tuple(speedups))


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of two values or more.

    Example:
        >>> quartiles([1, 2, 3, 4, 5])
        (2.0, 3.0, 4.0)
    """
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, median, upper


def paired_speedups(baseline: Blocks, network: Blocks) -> list[float]:
    """For each block, the median of the baseline divided by the median of the network.

    Args:
        baseline: Seconds of the baseline.
        network: Seconds of the network, in as many blocks.

    Example:
        >>> paired_speedups([[2.0, 4.0, 9.0]], [[1.0, 2.0, 3.0]])
        [2.0]
    """
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
    """The answer of :mod:`qat.export.runtimes.latency_worker`."""
    request = {
        "runtime": runtime,
        "files": {name: str(Path(file).resolve()) for name, file in files.items()},
        "shape": list(shape),
        "spec": asdict(spec),
    }
    with TemporaryDirectory() as folder:
        request_file, answer_file = Path(folder) / "request.json", Path(folder) / "answer.json"
        request_file.write_text(json.dumps(request), encoding="utf-8")
        worker = "qat.export.runtimes.latency_worker"
        home = [str(_PACKAGE_HOME), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, "-m", worker, str(request_file), str(answer_file)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, home))},
            capture_output=True,
            text=True,
            errors="replace",
        )
        if not answer_file.is_file():
            reason = (done.stderr.strip().splitlines() or ["no error message"])[-1]
            raise RuntimeError(f"the process of {runtime} ended with {done.returncode}: {reason}")
        answer: dict[str, Any] = json.loads(answer_file.read_text(encoding="utf-8"))
    if "error" in answer:
        raise InputError(answer["error"])
    return answer


def some_images(batch: int, shape: Sequence[int], dtype: np.dtype[Any]) -> np.ndarray:
    """Images for timing: the same random noise every time.

    Args:
        batch: Number of images.
        shape: Shape of one image, ``(channels, height, width)``.
        dtype: Type of the values.
    """
    return np.random.default_rng(0).random((batch, *shape)).astype(dtype)
