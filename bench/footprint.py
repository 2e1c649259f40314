"""How much memory a static run takes, stage by stage: peak resident bytes and seconds.

    python -m bench.footprint [--networks mobilenet_v2 resnet50] [--side 224] [--images 64]
                              [--out F]

Structures with random weights, on made-up images; placement integer, 8 bits, exported and compared
with its runtime. Each network runs in a process of its own. ``peak_bytes`` is the largest resident
size (libraries, images and weights included) while a stage ran, which Linux tells; ``minor_faults``
are pages that the stage had to be given, anew for each large tensor whose memory was handed back
before.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench._report import write_report
from qat.cli.main import main as qat
from qat.models.build import BUILTIN, build_model
from qat.models.checkpoint import save_checkpoint
from qat.run.state import RunState

NETWORKS = ("mobilenet_v2", "resnet50")
CLASSES = 10
_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_bytes() -> int:
    """Largest resident size since it was last forgotten."""
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def forget_peak() -> None:
    """Let the peak begin anew where the system can."""
    if _FORGET.exists():
        _FORGET.write_text("5", encoding="utf-8")


@contextmanager
def watched() -> Iterator[dict[str, dict[str, float]]]:
    """Note peak, seconds and page faults of every stage of the runs made meanwhile."""
    stages: dict[str, dict[str, float]] = {}
    plain = RunState.stage

    @contextmanager
    def timed(self: RunState, stage: str) -> Iterator[None]:
        forget_peak()
        start, faults = time.perf_counter(), _faults()
        with plain(self, stage):
            yield
        stages[stage] = {
            "peak_bytes": peak_bytes(),
            "seconds": time.perf_counter() - start,
            "minor_faults": _faults() - faults,
        }

    RunState.stage = timed  # type: ignore[method-assign]
    try:
        yield stages
    finally:
        RunState.stage = plain  # type: ignore[method-assign]


def measure(network: str, side: int, images: int, folder: Path) -> dict[str, Any]:
    """One static run in this process, in a folder of its own."""
    checkpoint = folder / "net.safetensors"
    source = "builtin" if network in BUILTIN else "torchvision"
    net = build_model(source, network, classes=CLASSES, in_channels=3, image_size=side)
    save_checkpoint(net, checkpoint, ((0.5,) * 3, (0.25,) * 3))
    del net  # no part of the run
    model = f"model={network}" if source == "builtin" else "model=torchvision"
    words = [
        *(model, f"model.name={network}", f"model.checkpoint={checkpoint}"),
        *("data=synthetic", f"+data.options.image_size={side}", f"data.classes={CLASSES}"),
        *(f"data.train_images={2 * images}", f"data.test_images={images}"),
        *(f"calibrate.images={images}", "scheme.placement=integer", "tracking=none"),
        *("measure.repeats=1", "measure.warmup=0", "measure.runtime_repeats=30"),
        *(f"paths.runs={folder / 'runs'}", f"paths.cache={folder / 'cache'}"),
    ]
    with watched() as stages:
        code = qat(["run", *words])
    return {
        "code": code,
        "side": side,
        "images": images,
        "peak_bytes": max(stage["peak_bytes"] for stage in stages.values()),
        "stages": stages,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.one is not None:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(args.networks[0], args.side, args.images, Path(folder))
        args.one.write_text(json.dumps(found), encoding="utf-8")
        return
    results = {name: _apart(name, args.side, args.images) for name in args.networks}
    write_report("footprint", results, args.out)


def _apart(network: str, side: int, images: int) -> dict[str, Any]:
    """In a process of its own, whose words go to the error stream."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        words = ["--networks", network, "--side", str(side), "--images", str(images)]
        command = [sys.executable, "-m", "bench.footprint", *words, "--one", str(found)]
        subprocess.run(command, check=True, stdout=sys.stderr, env=dict(os.environ))
        return json.loads(found.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    main()
