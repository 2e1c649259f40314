"""Prepare a run: turn its configuration into the values that its stages take.

All names, files and combinations are checked here, before anything is computed.
"""

from dataclasses import replace
from pathlib import Path

from qat.base.errors import InputError
from qat.base.heap import memory_released
from qat.config.checks.combinations import check_config
from qat.config.schema import RunConfig
from qat.config.scheme import build_scheme
from qat.data.bundle import DataBundle
from qat.export.runtimes.registry import make_runtime
from qat.records.cache import Cache
from qat.records.schema import run_id
from qat.run.cache_keys import CacheKeys
from qat.run.calibration import Calibration
from qat.run.memory.request import memory_request
from qat.run.mixed.request import mixed_request
from qat.run.prepared import Prepared
from qat.run.request.data import load_run_data
from qat.run.request.data_parts import check_parts
from qat.run.request.held import held_plan
from qat.run.request.identity import checkpoint_digest, data_facts, note_data, number_settings
from qat.run.request.images import RunImages
from qat.run.request.mode import Mode, mode_of
from qat.run.request.network import NetworkRequest, input_shape, network_request
from qat.run.request.protocol import protocol
from qat.run.request.ptq import ptq_request
from qat.run.request.training import float_training_request, quantized_training_request
from qat.training.device import compute_in_float32, resolve_device


def prepare(
    config: RunConfig,
    overrides: tuple[str, ...],
    rehearsed: bool = True,
    config_dir: Path | None = None,
) -> Prepared:
    """Check a request as far as that is possible without a long computation.

    Args:
        config: The run's configuration.
        overrides: The overrides of the command line, for the record.
        rehearsed: Also try each stage on a few images; false for a run that is already computed.
        config_dir: Folder of the user's YAML, for the record; None if there is none.

    Raises:
        ValueError: If a value, a file or a combination is wrong.
        KeyError: If a rule matches no layer, or a name is unknown.
    """
    check_config(config)
    mode, device = mode_of(config), resolve_device(config.trainer.accelerator)
    compute_in_float32(device)
    data = load_run_data(config).to(device)
    _check_pad(config, data)
    digest = checkpoint_digest(config)
    check_parts(config, data)
    facts = data_facts(data)
    note_data(config, facts)
    settings = number_settings(config, facts)
    _check_runtime(config, mode)
    keys = CacheKeys(settings, data, device, config.seed, config.evaluate.batch_size)
    network = network_request(config, data, device)
    prepared = replace(
        _make_prepared(config, overrides, mode, network, keys, digest), config_dir=config_dir
    )
    if rehearsed:
        from qat.run.request.rehearsal import rehearse  # not needed for what was tried before

        with memory_released():
            rehearse(prepared)
    return prepared


def _make_prepared(
    config: RunConfig,
    overrides: tuple[str, ...],
    mode: Mode,
    network: NetworkRequest,
    keys: CacheKeys,
    digest: str | None,
) -> Prepared:
    """Every value of a run, from its checked configuration."""
    data, settings = keys.data, keys.settings
    name = run_id(settings, data.digest, digest)
    cache = Cache(Path(config.paths.cache))
    scheme = build_scheme(config) if mode.quantizes else None
    images = RunImages(data, network, config.evaluate.batch_size, mode.is_dynamic)
    calibration = Calibration(
        images,
        config.calibrate.images,
        config.calibrate.batch_size,
        config.seed,
        mode.is_dynamic,
        cache,
        keys,
    )
    return Prepared(
        id=name,
        overrides=overrides,
        config=config,
        settings=settings,
        checkpoint_digest=digest,
        protocol=protocol(config, mode, keys),
        folder=Path(config.paths.runs) / name,
        cache=cache,
        keys=keys,
        seed=config.seed,
        device=keys.device,
        mode=mode,
        data=data,
        images=images,
        network=network,
        float_training=float_training_request(config) if mode.trains_float else None,
        scheme=scheme,
        held=held_plan(config, scheme),
        calibration=calibration,
        ptq=ptq_request(config, calibration),
        mixed=mixed_request(config, scheme, calibration) if scheme and mode.mixes else None,
        training=quantized_training_request(config) if mode.trains else None,
        kernel=config.kernel,
        timing=config.measure,
        parity=config.parity,
        memory=memory_request(config),
        tracking=config.tracking,
    )


def _check_pad(config: RunConfig, data: DataBundle) -> None:
    """Raise InputError if a crop could miss the whole image."""
    pad, side = config.data.augment.pad, min(input_shape(data)[1:])
    if pad >= side:
        raise InputError(
            f"data.augment.pad={pad} lets a crop miss the whole image of {side} pixels: set "
            f"data.augment.pad={side // 8} or another up to {side - 1}"
        )


def _check_runtime(config: RunConfig, mode: Mode) -> None:
    """Raise InputError if the run needs a runtime that is not installed."""
    if mode.exports and config.measure.runtime != "none":
        make_runtime(config.measure.runtime).version()
