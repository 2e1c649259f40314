"""A prepared run: all that is known about it before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from qat.config.schema import MeasureConfig, ParityConfig, RunConfig, TrackingConfig
from qat.core.held_plan import HeldPlan
from qat.core.scheme import Scheme
from qat.data.bundle import DataBundle
from qat.records.cache import Cache
from qat.run.cache_keys import CacheKeys
from qat.run.calibration import Calibration
from qat.run.memory.request import MemoryRequest
from qat.run.mixed.request import MixedRequest
from qat.run.request.images import RunImages
from qat.run.request.mode import Mode
from qat.run.request.network import NetworkRequest
from qat.run.request.ptq import PtqRequest
from qat.run.request.training import TrainingRequest


@dataclass(frozen=True)
class Prepared:
    """A checked request, as the values that the stages of a run take.

    Attributes:
        id: Id of the run, which is the name of its folder.
        overrides: The overrides of the command line.
        config: The whole configuration, for ``config.yaml``; stages take the values below.
        settings: The settings that the run's numbers depend on, as plain data.
        checkpoint_digest: Digest of ``model.checkpoint``; None without that setting.
        protocol: The record's protocol, without the fields that the float network decides.
        folder: The run's folder.
        cache: Results that runs share.
        keys: Keys of the cache.
        seed: Seed of the run.
        device: Device that the run computes on.
        mode: Which stages the run has.
        data: The data set, on that device.
        images: The images of the data set in batches.
        network: How the float network is built.
        float_training: How the float network is trained; None if the run does not train it.
        scheme: How the network is quantized; None in mode float.
        held: The plan of ``scheme.plan``, with ranges; None if the scheme makes the plan.
        calibration: How ranges are fixed.
        ptq: Steps of post-training quantization; None if there are none.
        mixed: How widths are chosen; None in modes other than mixed.
        training: How the quantized network is trained; None if the run does not train it.
        kernel: Kernel of quantized training: ``auto``, ``compiled`` or ``eager``.
        timing: How forward passes are timed, in torch and in a runtime.
        parity: How simulation and runtime are compared.
        memory: How the memory is planned.
        tracking: What is written beside the record.
        config_dir: Folder of the user's YAML that the request was composed from; None without one.
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
    held: HeldPlan | None
    calibration: Calibration
    ptq: PtqRequest | None
    mixed: MixedRequest | None
    training: TrainingRequest | None
    kernel: str
    timing: MeasureConfig
    parity: ParityConfig
    memory: MemoryRequest
    tracking: TrackingConfig
    config_dir: Path | None = None
