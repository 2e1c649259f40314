"""The process in which one runtime is timed.

:mod:`qat.export.runtimes.latency` starts it as
``python -m qat.export.runtimes.latency_worker REQUEST ANSWER``. Both files are JSON. If the request
has an error, the answer is ``{"error": ...}``.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from qat.export.runtimes.base import Runtime, Session
from qat.export.runtimes.latency import LatencySpec, some_images
from qat.export.runtimes.registry import make_runtime


def main(request_file: str, answer_file: str) -> int:
    """Read a request, measure, and write the answer.

    Args:
        request_file: JSON with ``runtime``, ``files``, ``shape`` and ``spec``.
        answer_file: File to write.
    """
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    try:
        answer = measure(request)
    except ValueError as error:
        answer = {"error": str(error)}
    Path(answer_file).write_text(json.dumps(answer), encoding="utf-8")
    return 0


def measure(request: Mapping[str, Any]) -> dict[str, Any]:
    """Measure every case: ``{"version", "cases": [{"batch", "threads", "seconds"}]}``.

    Raises:
        ValueError: If the runtime is unknown or not installed, or a file cannot be loaded.
    """
    runtime = make_runtime(request["runtime"])
    spec = LatencySpec(**request["spec"])
    cases = [
        {
            "batch": batch,
            "threads": threads,
            "seconds": time_case(runtime, request, spec, batch, threads),
        }
        for threads in spec.threads
        for batch in spec.batches
    ]
    return {"version": runtime.version(), "cases": cases}


def time_case(
    runtime: Runtime, request: Mapping[str, Any], spec: LatencySpec, batch: int, threads: int
) -> dict[str, list[list[float]]]:
    """Seconds of single inferences, for each network and block; the networks take turns.

    Args:
        runtime: Runtime of this process.
        request: ``files`` and ``shape``.
        spec: Repetitions, blocks, warm-up.
        batch: Number of images in one inference.
        threads: Number of cores that one inference may use.
    """
    sessions = {name: runtime.load(file, threads) for name, file in request["files"].items()}
    images = {
        name: some_images(batch, request["shape"], session.input.dtype)
        for name, session in sessions.items()
    }
    seconds: dict[str, list[list[float]]] = {name: [] for name in sessions}
    runs = -(-spec.repeats // spec.blocks)
    for block in range(spec.blocks):
        # Every second turn is in reverse order: the last network of a turn begins the next one.
        for name in list(sessions)[:: -1 if block % 2 else 1]:
            session, own_images = sessions[name], images[name]
            warm_up(session, own_images, spec.warmup if block == 0 else 1, spec.settle_ms)
            block_seconds = []
            for _ in range(runs):
                start = perf_counter()
                session.run(own_images)
                block_seconds.append(perf_counter() - start)
            seconds[name].append(block_seconds)
    return seconds


def warm_up(session: Session, images: np.ndarray, runs: int, settle_ms: float) -> None:
    """Run a network untimed, for a number of runs and a number of milliseconds.

    Args:
        session: Network in the runtime.
        images: One batch.
        runs: Smallest number of runs.
        settle_ms: Shortest duration.
    """
    end = perf_counter() + settle_ms / 1000
    while runs > 0 or perf_counter() < end:
        session.run(images)
        runs -= 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
