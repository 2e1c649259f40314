"""Calibration of a run: what observers see is collected once, for all runs that see the same."""

import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from qat.base.progress import tracked
from qat.convert.calibrate import calibrate, calibrate_from, collected, statistics_keys
from qat.convert.clipped import ClippedSignsWarning
from qat.data.batches import Batches
from qat.data.draw import drawn
from qat.records.cache import Cache
from qat.records.schema import NUMERICS_VERSION
from qat.run.prepare import Prepared

SECONDS = "seconds"


def calibrate_run(prepared: Prepared, qnet: nn.Module, float_digest: str) -> float:
    """Fix every range of a quantized network, by statistics from the cache if they are there.

    Returns:
        Seconds that calibration takes: what was collected before counts as it did then.
    """
    start = time.perf_counter()
    before = _calibrate_shared(prepared, qnet, float_digest)
    return time.perf_counter() - start + before


def _calibrate_shared(prepared: Prepared, qnet: nn.Module, float_digest: str) -> float:
    """Calibrate; returns the seconds that another run has spent on what is taken from it."""
    if prepared.config.mode == "dynamic":
        # Dynamic ranges need no data; weights are fixed from themselves, so any batch will do.
        calibrate(qnet, [prepared.example()])
        return 0.0
    observers = statistics_keys(qnet)
    if observers is None:  # a method of the user's: nobody knows what it depends on
        _calibrate(prepared, qnet)
        return 0.0

    calibrated_now = False

    def make(path: Path) -> None:
        nonlocal calibrated_now
        start = time.perf_counter()
        _calibrate(prepared, qnet)
        statistics = {name: value.cpu() for name, value in collected(qnet).items()}
        save_file(statistics, path, {SECONDS: str(time.perf_counter() - start)})
        calibrated_now = True

    cache = Cache(Path(prepared.config.paths.cache))
    key = {**calibration_key(prepared, float_digest), "observers": observers}
    path = cache.get_or_make("calibration", key, make, suffix=".safetensors")
    if calibrated_now:
        return 0.0
    with safe_open(path, framework="pt", device=str(prepared.device)) as file:
        calibrate_from(qnet, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        return float(file.metadata()[SECONDS])


def calibration_batches(prepared: Prepared, at_once: int | None = None) -> Batches:
    """Images of ``calibrate.path`` or of train, drawn by the run's seed, without augmentation."""
    config, data = prepared.config, prepared.data
    images = data.training if data.calibration is None else data.calibration
    chosen = drawn(images, config.calibrate.images, config.seed)
    size = config.calibrate.batch_size
    return Batches(chosen, size if at_once is None else min(size, at_once), data.preprocess)


def _calibrate(prepared: Prepared, qnet: nn.Module) -> None:
    batches = calibration_batches(prepared)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClippedSignsWarning)  # the evaluation says it for all runs
        at_once = prepared.images_at_once
        calibrate(qnet, batches, lambda items: tracked("calibration", items), at_once)


def calibration_key(prepared: Prepared, float_digest: str) -> dict[str, Any]:
    """What determines the values that a float network has on the images of its calibration."""
    config = prepared.config
    return {
        "model": prepared.settings["model"],
        "checkpoint": float_digest,
        "data": prepared.data.digest,
        "preprocess": asdict(prepared.data.preprocess),
        "calibrate": prepared.settings["calibrate"],
        "seed": config.seed,
        "device": prepared.device.type,
        "threads": torch.get_num_threads(),
        "numerics_version": NUMERICS_VERSION,
    }
