"""The process in which one runtime is timed.

It runs as ``python -m qat.export.runtimes.latency_worker REQUEST ANSWER``.

Started by :mod:`qat.export.runtimes.latency`; both files are JSON. A request that cannot be met
becomes ``{"error": ...}``.
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


def main(asked: str, answer: str) -> int:
    """Measure what a file asks for, write what was found to another."""
    request = json.loads(Path(asked).read_text(encoding="utf-8"))
    try:
        found = measure(request)
    except ValueError as error:
        found = {"error": str(error)}
    Path(answer).write_text(json.dumps(found), encoding="utf-8")
    return 0


def measure(request: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds of every case: ``{"version", "cases": [{"batch", "threads", "seconds"}]}``."""
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
    """Seconds of single inferences by network and block, the networks in turns."""
    sessions = {name: runtime.load(file, threads) for name, file in request["files"].items()}
    images = {
        name: some_images(batch, request["shape"], session.input.dtype)
        for name, session in sessions.items()
    }
    seconds: dict[str, list[list[float]]] = {name: [] for name in sessions}
    runs = -(-spec.repeats // spec.blocks)
    for block in range(spec.blocks):
        # Every second round backwards: who comes first is who came last.
        for name in list(sessions)[:: -1 if block % 2 else 1]:
            session, given = sessions[name], images[name]
            warm_up(session, given, spec.warmup if block == 0 else 1, spec.settle_ms)
            block_seconds = []
            for _ in range(runs):
                start = perf_counter()
                session.run(given)
                block_seconds.append(perf_counter() - start)
            seconds[name].append(block_seconds)
    return seconds


def warm_up(session: Session, images: np.ndarray, runs: int, settle_ms: float) -> None:
    """Run at least ``runs`` times, and until ``settle_ms`` have passed."""
    end = perf_counter() + settle_ms / 1000
    while runs > 0 or perf_counter() < end:
        session.run(images)
        runs -= 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
