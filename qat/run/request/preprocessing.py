"""Resize, crop and normalisation that the weights of a float network bring along."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from qat.config.modes import brings_timm_weights
from qat.config.schema import RunConfig
from qat.models.checkpoint import read_normalisation


def data_settings(config: RunConfig) -> tuple[dict[str, Any], str | None]:
    """The settings of ``data`` without augmentation, completed by what the weights bring along.

    A value of the user's is never changed. Otherwise mean and standard deviation are those that
    the checkpoint records. Published weights of timm (``model.weights``, or a checkpoint that
    records nothing) bring mean, standard deviation, resize and crop from their ``pretrained_cfg``.

    Args:
        config: The run's configuration.

    Returns:
        The settings, and a line on where completed values come from; None if there are none of
        timm's.

    Raises:
        InputError: If the checkpoint is damaged, timm does not know the network, or its cache does
            not have the weights.
    """
    settings = {k: v for k, v in asdict(config.data).items() if k != "augment"}
    recorded = _recorded(config)
    if recorded is not None:
        mean, std = recorded
        return _completed(settings, {"mean": list(mean), "std": list(std)}), None
    if not brings_timm_weights(config):
        return settings, None
    from qat.models.timm import check_weights_are_here, timm_preparation

    model = config.model
    if model.weights is not None and not model.download:
        check_weights_are_here(model.name, model.weights)
    preparation = timm_preparation(model.name, model.weights)
    values = asdict(preparation)
    del values["name"]
    if all(settings[key] is not None for key in values):
        return settings, None
    values |= {key: list(values[key]) for key in ("mean", "std")}
    return _completed(settings, values), preparation.line()


def _recorded(config: RunConfig) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The normalisation that the checkpoint records, where it is needed."""
    if config.model.checkpoint is None:
        return None
    if config.data.mean is not None and not brings_timm_weights(config):
        return None
    path = Path(config.model.checkpoint)
    return read_normalisation(path) if path.is_file() else None


def _completed(settings: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return settings | {key: value for key, value in values.items() if settings[key] is None}
