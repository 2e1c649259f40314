"""The cache keys of a run: everything that each cached result depends on, as plain data."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from qat.data.bundle import DataBundle
from qat.records.schema import NUMERICS_VERSION


@dataclass(frozen=True)
class CacheKeys:
    """Keys of a run for :class:`qat.records.cache.Cache`; a caller adds the fields of its result.

    Attributes:
        settings: What the run's numbers depend on
            (:func:`qat.run.request.identity.number_settings`).
        data: The run's data set.
        device: Device that the run computes on.
        seed: Seed of the run.
        test_batch_size: Images in a batch of the test set (``evaluate.batch_size``).
    """

    settings: Mapping[str, Any]
    data: DataBundle
    device: torch.device
    seed: int
    test_batch_size: int

    def machine(self) -> dict[str, Any]:
        """Fields that every result depends on: device, threads, version of the numerics."""
        return {
            "device": self.device.type,
            "threads": torch.get_num_threads(),
            "numerics_version": NUMERICS_VERSION,
            **self._format(),
        }

    def float_values(self, checkpoint: str) -> dict[str, Any]:
        """Key of values that a float network computes from images of the data set.

        Args:
            checkpoint: Digest of the network's weights.
        """
        return {
            "checkpoint": checkpoint,
            "data": self.data.digest,
            "preprocess": asdict(self.data.preprocess),
            **self.machine(),
        }

    def float_logits(self, checkpoint: str, batch_size: int) -> dict[str, Any]:
        """Key of a float network's logits on the test set.

        Args:
            checkpoint: Digest of the network's weights.
            batch_size: Images in a batch: the last bits of the logits can depend on it.
        """
        return {**self.float_values(checkpoint), "batch_size": batch_size}

    def calibration(self, checkpoint: str) -> dict[str, Any]:
        """Key of values that a float network computes from the calibration images.

        Args:
            checkpoint: Digest of the network's weights.
        """
        return {
            **self.float_values(checkpoint),
            "model": self.settings["model"],
            "calibrate": self.settings["calibrate"],
            "seed": self.seed,
        }

    def float_training(self) -> dict[str, Any]:
        """Key of the trained float network."""
        key: dict[str, Any] = {name: self.settings[name] for name in ("model", "data", "float")}
        key["images"] = self.data.digest
        key["evaluation_batch"] = self.test_batch_size
        key["numerics_version"] = NUMERICS_VERSION
        key |= self._format()
        return json.loads(json.dumps(key))  # type: ignore[no-any-return]

    def _format(self) -> dict[str, Any]:
        """The memory format; empty for ``contiguous``, as in the settings of a run."""
        name = "memory_format"
        return {name: self.settings[name]} if name in self.settings else {}
