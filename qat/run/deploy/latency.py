"""Latency of a run's exported networks in their runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from qat.config.schema import MeasureConfig
from qat.export.runtimes.labels import HALF, float16_products
from qat.export.runtimes.latency import LatencyReport, LatencySpec, measure_latency, some_images
from qat.export.runtimes.registry import make_runtime
from qat.records.environment import usable_cores
from qat.records.side_files.latency import (
    LatencyFile,
    LatencySettings,
    NetworkLatency,
    NetworkSpeedup,
)

FLOAT, NETWORK = "float", "network"


def run_latency(
    config: MeasureConfig,
    files: Mapping[str, Path],
    shape: Sequence[int],
    folder: Path,
    plain_threads: int | None = None,
) -> dict[str, float]:
    """Time the files in turn, and write ``latency.json`` into the run's folder.

    Args:
        config: Runtime, batch sizes, threads, repetitions.
        files: Name → ONNX file; ``float`` is the baseline of the speed-ups.
        shape: Shape of one image: (channels, height, width).
        folder: The run's folder.
        plain_threads: Number of threads whose metrics have no suffix; None: the first.

    Returns:
        ``latency_ms``, ``float_latency_ms`` and ``speedup``, without a suffix for one image and
        that number of threads, with one such as ``_b64`` or ``_t1`` for others. A float16
        network that the runtime computes in float has a latency but no speed-up.

    Raises:
        ValueError: If the runtime is not installed.
    """
    spec = latency_spec(config)
    report = measure_latency(files, shape, spec, [config.runtime], FLOAT)
    latency = LatencyFile(
        LatencySettings(**asdict(spec)),
        tuple(NetworkLatency(**asdict(row)) for row in report.rows),
        tuple(NetworkSpeedup(**asdict(row)) for row in report.speedups),
        {name: _layers(config.runtime, file, shape) for name, file in files.items()},
        _float16_products(config.runtime, files),
    )
    latency.write(folder / LatencyFile.NAME)
    metrics = _metrics(report, plain_threads or spec.threads[0])
    half, every = latency.float16_products or (0, 0)
    if half < every:  # the ratio would be that of casts
        return {k: ms for k, ms in metrics.items() if not k.startswith(f"{HALF}_speedup")}
    return metrics


def _float16_products(runtime: str, files: Mapping[str, Path]) -> tuple[int, int] | None:
    if HALF not in files:
        return None
    return float16_products(make_runtime(runtime).load(files[HALF], threads=1).nodes())


def latency_spec(config: MeasureConfig) -> LatencySpec:
    """How latency is measured; without a number of threads, all usable cores are used."""
    return LatencySpec(
        batches=tuple(config.batches),
        threads=tuple(config.threads) or (usable_cores(),),
        repeats=config.runtime_repeats,
        blocks=config.blocks,
    )


def _metrics(report: LatencyReport, plain_threads: int) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for row in report.rows:
        suffix = _suffix(row.batch, row.threads, plain_threads)
        prefix = "" if row.network == NETWORK else f"{row.network}_"
        metrics[f"{prefix}latency_ms{suffix}"] = row.median_ms
    for ratio in report.speedups:
        suffix = _suffix(ratio.batch, ratio.threads, plain_threads)
        prefix = "" if ratio.network == NETWORK else f"{ratio.network}_"
        metrics[f"{prefix}speedup{suffix}"] = ratio.median
    return metrics


def _suffix(batch: int, threads: int, plain_threads: int) -> str:
    text = "" if batch == 1 else f"_b{batch}"
    return text if threads == plain_threads else f"{text}_t{threads}"


def _layers(runtime: str, file: Path, shape: Sequence[int]) -> dict[str, float]:
    """Layer → milliseconds by the runtime's profiler; ``""`` for nodes that belong to no layer."""
    session = make_runtime(runtime).load(file, threads=1)
    times = session.layer_times_ms(some_images(1, shape, session.input.dtype))
    return {name or "": ms for name, ms in times.items()}
