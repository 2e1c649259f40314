"""Calibration of a run: what observers see is collected once, for all runs that see the same."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from qat.base.progress import tracked
from qat.convert.calibrate import calibrate, calibrate_from, collected, statistics_keys
from qat.convert.clipped import ClippedSignsWarning
from qat.data.batches import Batches
from qat.data.draw import drawn
from qat.records.cache import Cache
from qat.run.cache_keys import CacheKeys
from qat.run.images import RunImages

SECONDS = "seconds"


@dataclass(frozen=True)
class Calibration:
    """How the ranges of a run's quantized networks are fixed.

    Attributes:
        images: Of the run.
        count: Images that observers see.
        batch_size: Images in a batch, as observers see them.
        seed: Of the draw.
        is_dynamic: Activations need no data: their ranges are those of each batch.
        cache: Where statistics are kept.
        keys: Of the cache.
    """

    images: RunImages
    count: int
    batch_size: int
    seed: int
    is_dynamic: bool
    cache: Cache
    keys: CacheKeys

    def batches(self, at_once: int | None = None) -> Batches:
        """Images of ``calibrate.path`` or of train, drawn by the seed, without augmentation.

        Args:
            at_once: Most images in a batch; None takes ``batch_size``.
        """
        data = self.images.data
        source = data.training if data.calibration is None else data.calibration
        size = self.batch_size if at_once is None else min(self.batch_size, at_once)
        return Batches(drawn(source, self.count, self.seed), size, data.preprocess)

    def run(self, qnet: nn.Module, float_digest: str) -> float:
        """Fix every range of a quantized network, by statistics from the cache if they are there.

        Args:
            qnet: The quantized network, changed in place.
            float_digest: Of the float network's weights.

        Returns:
            Seconds that calibration takes. Statistics from the cache count with the seconds that
            they took when they were collected.
        """
        start = time.perf_counter()
        seconds_before = self._run_shared(qnet, float_digest)
        return time.perf_counter() - start + seconds_before

    def _run_shared(self, qnet: nn.Module, float_digest: str) -> float:
        """Calibrate; returns the seconds that another run has spent on what is taken from it."""
        if self.is_dynamic:
            # Weights are fixed from themselves, so any batch will do.
            calibrate(qnet, [self.images.example()])
            return 0.0
        observers = statistics_keys(qnet)
        if observers is None:  # a method of the user's: what it depends on is unknown
            self._collect(qnet)
            return 0.0
        return self._run_cached(qnet, float_digest, observers)

    def _run_cached(self, qnet: nn.Module, float_digest: str, observers: Any) -> float:
        calibrated_now = False

        def make(path: Path) -> None:
            nonlocal calibrated_now
            start = time.perf_counter()
            self._collect(qnet)
            _save(path, collected(qnet), time.perf_counter() - start)
            calibrated_now = True

        key = {**self.keys.calibration(float_digest), "observers": observers}
        path = self.cache.get_or_make("calibration", key, make, suffix=".safetensors")
        if calibrated_now:
            return 0.0
        with safe_open(path, framework="pt", device=str(self.keys.device)) as file:
            calibrate_from(qnet, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
            return float(file.metadata()[SECONDS])

    def _collect(self, qnet: nn.Module) -> None:
        with warnings.catch_warnings():
            # The evaluation reports clipped signs, in every run and not only in this one.
            warnings.simplefilter("ignore", ClippedSignsWarning)
            batches, at_once = self.batches(), self.images.at_once
            calibrate(qnet, batches, lambda items: tracked("calibration", items), at_once)


def _save(path: Path, statistics: Mapping[str, Tensor], seconds: float) -> None:
    tensors = {name: value.cpu() for name, value in statistics.items()}
    save_file(tensors, path, {SECONDS: str(seconds)})
