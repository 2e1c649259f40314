"""A run as it is known before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from qat.config.schema import MeasureConfig, ParityConfig, RunConfig, TrackingConfig
from qat.core.scheme import Scheme
from qat.data.bundle import DataBundle
from qat.records.cache import Cache
from qat.run.cache_keys import CacheKeys
from qat.run.calibration import Calibration
from qat.run.images import RunImages
from qat.run.memory.request import MemoryRequest
from qat.run.mixed.request import MixedRequest
from qat.run.mode import Mode
from qat.run.network_request import NetworkRequest
from qat.run.training_request import TrainingRequest


@dataclass(frozen=True)
class Prepared:
    """A request, checked, as the values that the stages of a run take.

    Attributes:
        id: Name of the run's folder.
        overrides: As typed.
        config: The whole configuration, for ``config.yaml``; stages take what stands below.
        settings: What the run's numbers depend on, as plain data.
        checkpoint_digest: Of ``model.checkpoint``; None if there is none.
        protocol: The record's protocol, apart from what the float network alone decides.
        folder: The run's.
        cache: Of results that runs share.
        keys: Of the cache.
        seed: Of the run.
        device: Where the run computes.
        mode: Which stages it has.
        data: On the device of the run.
        images: The data in batches.
        network: The float network.
        float_training: None where the float network is not trained here.
        scheme: None in mode float.
        calibration: How ranges are fixed.
        mixed: How widths are chosen; None in other modes than mixed.
        training: Of the quantized network; None where it is not trained.
        kernel: That quantized training is asked to use.
        timing: How forward passes are timed, in torch and in a runtime.
        parity: What simulation and runtime are compared on.
        memory: How the memory is planned.
        tracking: What is written beside the record.
    """

    id: str
    overrides: tuple[str, ...]
    config: RunConfig
    settings: Mapping[str, Any]
    checkpoint_digest: str | None
    protocol: dict[str, dict[str, Any]]
    folder: Path
    cache: Cache
    keys: CacheKeys
    seed: int
    device: torch.device
    mode: Mode
    data: DataBundle
    images: RunImages
    network: NetworkRequest
    float_training: TrainingRequest | None
    scheme: Scheme | None
    calibration: Calibration
    mixed: MixedRequest | None
    training: TrainingRequest | None
    kernel: str
    timing: MeasureConfig
    parity: ParityConfig
    memory: MemoryRequest
    tracking: TrackingConfig
