"""CPU seconds of ``qat table`` over many records.

    python -m bench.table [--records 5000] [--repeats 3] [--out FILE]

The records are as ``simple_cnn`` leaves them: four planned layers, a whole protocol, all metrics of
a static run (about 9 KB each). A fifth are of other seeds, so that rows have five runs. The whole
command is timed, in a process of its own, start of the interpreter included; ``user_seconds`` is
user CPU time of the fastest repetition, ``system_seconds`` that of the system in the same one, so
that a busy machine counts little.
"""

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench._commands import run_qat
from bench._report import write_report
from qat.records.schema import RunRecord
from qat.records.store import write_record

SEEDS = 5
WIDTHS = (8, 6, 5, 4, 3, 2)
METHOD = {"name": "lsq", "target": None, "options": {"start": "mse"}}
OPTIMIZER = {
    "name": "sgd",
    "lr": 0.01,
    "momentum": 0.9,
    "nesterov": False,
    "weight_decay": 1e-4,
    "betas": [0.9, 0.999],
    "step_lr": 1e-3,
    "step_weight_decay": 0.0,
}
METRICS = (
    *("float_top1", "float_loss", "top1", "top5", "loss", "top1_drop", "logit_sqnr_db"),
    *("float_bytes", "packed_bytes", "theoretical_bytes", "simulated_bytes", "compression"),
    *("macs", "bops", "weight_bytes", "average_weight_bits", "peak_activation_bytes"),
)


def records(count: int) -> Iterator[RunRecord]:
    """So many records, no two of one setting and seed."""
    settings = list(itertools.product(WIDTHS, WIDTHS, range(SEEDS)))
    for number in range(count):
        weight, act, seed = settings[number % len(settings)]
        images = 1 + number // len(settings)
        yield RunRecord(
            id=f"{number:012x}",
            status="done",
            mode="static",
            seed=seed,
            overrides=("mode=static", f"seed={seed}", f"calibrate.images={images}"),
            protocol=_protocol(images),
            plan=_plan(weight, act),
            environment={"commit": "a" * 40, "dirty": False, "cores": 2, "threads": 2},
            metrics={name: (number % 997 + 1) / 1000 for name in METRICS},
        )


def write_records(count: int, folder: Path) -> None:
    """Write them as run folders."""
    for record in records(count):
        (folder / record.id).mkdir()
        write_record(record, folder / record.id)


def cpu_seconds(folder: Path) -> tuple[float, float]:
    """User and system time of one ``qat table`` over a folder."""
    taken = run_qat(["table", str(folder)], folder.parent)
    return taken.user_s, taken.system_s


def _plan(weight: int, act: int) -> dict[str, Any]:
    names = ("features.0.0", "features.1.0", "features.2.0", "classifier")
    ends = (names[0], names[-1])
    return {
        "version": 1,
        "placement": "academic",
        "left_float": [],
        "ends": list(ends),
        "layers": {
            name: {
                "kind": "Conv2d",
                "weight": _spec(8 if name in ends else weight, "channel"),
                "act": _spec(8 if name in ends else act, "tensor"),
                "output": None,
            }
            for name in names
        },
    }


def _spec(bits: int, granularity: str) -> dict[str, Any]:
    return {
        "format": "int",
        "bits": bits,
        "signed": True,
        "symmetric": True,
        "narrow": False,
        "granularity": granularity,
        "group_size": None,
        "scale": "free",
        "quantizer": METHOD,
        "observer": {"name": "default", "target": None, "options": {}},
    }


def _protocol(images: int) -> dict[str, Any]:
    data = {"name": "synthetic", "digest": "d" * 64, "train_images": 230, "test_images": 256}
    return {
        "data": data | {"mean": [0.49, 0.5, 0.5], "std": [0.21, 0.22, 0.21], "resize": None},
        "float": {
            "model": {"name": "simple_cnn", "options": {"batch_norm": True}},
            "checkpoint_digest": "c" * 64,
            "epochs": 1,
            "seed": 0,
            "optimizer": OPTIMIZER,
        },
        "evaluation": {"split": "test", "threads": 2, "first_last": "8", "placement": "academic"},
        "calibration": {"split": "train", "images": images},
    }


def main(arguments: list[str] | None = None) -> int:
    """Time it and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "runs"
        folder.mkdir()
        write_records(options.records, folder)
        size = (folder / f"{0:012x}" / "run.json").stat().st_size
        taken = [cpu_seconds(folder) for _ in range(options.repeats)]
    user, system = min(taken)
    results = {
        "records": options.records,
        "bytes_each": size,
        "user_seconds": user,
        "system_seconds": system,
    }
    write_report("table", results, options.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
