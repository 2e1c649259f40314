"""Calibration of a run: observers' statistics are collected once for all runs that share them."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from qat.base.progress import tracked
from qat.convert.calibrate import calibrate, calibrate_from, collect, statistics_keys
from qat.convert.clipped import ClippedSignsWarning
from qat.data.batches import Batches
from qat.data.draw import drawn
from qat.records.cache import Cache
from qat.run.cache_keys import CacheKeys
from qat.run.request.images import RunImages

KIND, SUFFIX = "calibration", ".safetensors"
OBSERVERS = "observers"
"""Part of the key: which statistics of which tensors."""
SECONDS = "seconds"


@dataclass(frozen=True)
class Calibration:
    """How the ranges of a run's quantized networks are fixed.

    Attributes:
        images: The run's images.
        count: Number of images that observers see.
        batch_size: Images in a batch, as observers see them.
        seed: Seed of the random choice of images.
        is_dynamic: Ranges of activations are measured anew in each batch, so they need no data.
        cache: Holds the statistics that runs share.
        keys: The run's cache keys.
        complete: Collect statistics that serve every observer, for runs with other observers that
            follow. They also serve this run, whose ranges do not depend on it.
    """

    images: RunImages
    count: int
    batch_size: int
    seed: int
    is_dynamic: bool
    cache: Cache
    keys: CacheKeys
    complete: bool = False

    def batches(self, at_once: int | None = None) -> Batches:
        """Images of ``calibrate.path`` or of train, drawn by the seed, without augmentation.

        Args:
            at_once: Largest number of images in a batch; None uses ``batch_size``.

        Raises:
            DataError: If the data set has neither train images nor ``calibrate.path``.
        """
        size = self.batch_size if at_once is None else min(self.batch_size, at_once)
        return self.drawn(self.count, size)

    def drawn(self, count: int, batch_size: int) -> Batches:
        """As :meth:`batches`, in another number.

        Args:
            count: Number of images.
            batch_size: Images in a batch.

        Raises:
            DataError: If the data set has neither train images nor ``calibrate.path``.
        """
        data = self.images.data
        source = data.training if data.calibration is None else data.calibration
        return Batches(drawn(source, count, self.seed), batch_size, data.preprocess)

    def run(self, qnet: nn.Module, float_digest: str) -> float:
        """Fix every range of a quantized network, from cached statistics if there are any.

        Args:
            qnet: The quantized network, changed in place.
            float_digest: Digest of the float network's weights.

        Returns:
            Seconds of the calibration. For statistics from the cache, the seconds in which they
            were collected are added.
        """
        start = time.perf_counter()
        seconds_before = self._run_shared(qnet, float_digest)
        return time.perf_counter() - start + seconds_before

    def run_anew(self, qnet: nn.Module) -> None:
        """Fix every range of a network whose weights no other run has, without the cache.

        Args:
            qnet: The quantized network, changed in place.
        """
        self._collect(qnet, complete=False)

    def _run_shared(self, qnet: nn.Module, float_digest: str) -> float:
        """Calibrate; returns the seconds in which another run collected the statistics used."""
        if self.is_dynamic:
            # The ranges of weights depend on the weights alone, so any batch serves.
            calibrate(qnet, [self.images.example()])
            return 0.0
        own, complete = (statistics_keys(qnet, complete) for complete in (False, True))
        if own is None or complete is None:  # a user's method: what it depends on is unknown
            self._collect(qnet, complete=False)
            return 0.0
        key = self.keys.calibration(float_digest)
        wants_complete = self.complete or own == complete
        path = self.cache.find(KIND, {**key, OBSERVERS: complete}, SUFFIX)
        if path is None or wants_complete:
            path, is_new = self._made(qnet, {**key, OBSERVERS: complete if wants_complete else own})
            if is_new:
                return 0.0
        with safe_open(path, framework="pt", device=str(self.keys.device)) as file:
            calibrate_from(qnet, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
            return float(file.metadata()[SECONDS])

    def _made(self, qnet: nn.Module, key: Mapping[str, Any]) -> tuple[Path, bool]:
        """The file of statistics, and whether this network was calibrated to make it."""
        is_new = False

        def make(path: Path) -> None:
            nonlocal is_new
            start = time.perf_counter()
            keys = statistics_keys(qnet, complete=True)
            statistics = self._collect(qnet, complete=key[OBSERVERS] == keys)
            _save(path, statistics, time.perf_counter() - start)
            is_new = True

        return self.cache.get_or_make(KIND, key, make, suffix=SUFFIX), is_new

    def _collect(self, qnet: nn.Module, complete: bool) -> dict[str, Tensor]:
        with warnings.catch_warnings():
            # The evaluation reports clipped signs, in every run and not only in this one.
            warnings.simplefilter("ignore", ClippedSignsWarning)
            batches, at_once = self.batches(), self.images.at_once
            track = partial(tracked, "calibration")
            return collect(qnet, batches, track, at_once, complete)


def _save(path: Path, statistics: Mapping[str, Tensor], seconds: float) -> None:
    tensors = {name: value.cpu() for name, value in statistics.items()}
    save_file(tensors, path, {SECONDS: str(seconds)})
