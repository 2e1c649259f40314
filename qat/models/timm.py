"""Networks of timm by name, their published weights, and how their images are prepared.

timm: Wightman, "PyTorch Image Models", https://github.com/huggingface/pytorch-image-models. A name
may have a tag, ``resnet18.a1_in1k``, which names one set of published weights. Weights are read as
data from timm's own cache (that of the Hugging Face hub, or of torch.hub). Nothing is downloaded
unless ``download`` says so.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qat.base.errors import InputError
from qat.models.checkpoint import read_checkpoint
from qat.models.names import check_timm_name
from qat.models.state_dict import mappings_of_tensors

_FILES = ("model.safetensors", "pytorch_model.bin")
"""Names that weights have in the cache of the hub, the preferred first."""


@dataclass(frozen=True)
class Preparation:
    """How images were prepared in the training of published weights.

    Attributes:
        name: Of the weights, architecture and tag.
        mean: Per channel, of pixels scaled to 0..1.
        std: Standard deviation per channel.
        resize: Length of the shorter side in pixels.
        crop: Side of the centred square in pixels.
    """

    name: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: int
    crop: int

    def line(self) -> str:
        """The values in one line for a reader.

        Example:
            >>> Preparation("resnet18.a1_in1k", (0.5,), (0.25,), 235, 224).line()
            'as timm prepares images for resnet18.a1_in1k: resize 235, crop 224, mean 0.5, std 0.25'
        """
        mean, std = (", ".join(map(str, values)) for values in (self.mean, self.std))
        return (
            f"as timm prepares images for {self.name}: resize {self.resize}, crop {self.crop}, "
            f"mean {mean}, std {std}"
        )


def timm_model(
    name: str,
    classes: int,
    in_channels: int,
    weights: str | None = None,
    download: bool = False,
    **options: Any,
) -> nn.Module:
    """A network of timm.

    Args:
        name: Its name in timm, with or without a tag.
        classes: Number of logits; published weights need the number of their own classes.
        in_channels: Channels of an image; published weights need 3.
        weights: A tag of published weights, or ``DEFAULT`` for the tag in the name or else timm's
            first one; None for random weights.
        download: Download the weights if the cache does not have them.
        options: Further arguments of the network's builder in timm.

    Raises:
        UnknownNameError: If there is no network of that name.
        InputError: If timm is not installed, or the weights are unknown, do not fit, or are not in
            the cache and not to be downloaded.
        TypeError: If the builder does not take an option.
    """
    check_timm_name(name)
    import timm  # slow: only for its own networks

    sizes = {"num_classes": classes, "in_chans": in_channels}
    if weights is None:
        return _with_torchs_layers(timm.create_model(_architecture(name), **sizes, **options))
    config = _published(name, weights)
    full_name = _full_name(config)
    if (config.num_classes, 3) != (classes, in_channels):
        raise InputError(
            f"weights {full_name} are for {config.num_classes} classes and 3 channels, the data "
            f"has {classes} and {in_channels}: set model.weights=null"
        )
    if (path := _cached(config)) is None:
        if not download:
            raise _not_here(config)
        path = _downloaded(config)
    state = max((state for _, state in mappings_of_tensors(read_checkpoint(path))), key=len)
    # A state dict that is handed over passes timm's own renaming of older weights.
    net = timm.create_model(
        full_name, pretrained=True, pretrained_cfg_overlay={"state_dict": state}, **sizes, **options
    )
    return _with_torchs_layers(net)


def check_weights_are_here(name: str, weights: str) -> None:
    """Refuse weights that are not in timm's cache, before anything else is read.

    Args:
        name: Name of the network in timm, with or without a tag.
        weights: A tag, or ``DEFAULT``.

    Raises:
        UnknownNameError: If there is no network of that name.
        InputError: If timm is not installed, or the weights are unknown or not in its cache.
    """
    check_timm_name(name)
    config = _published(name, weights)
    if _cached(config) is None:
        raise _not_here(config)


def timm_preparation(name: str, weights: str | None = None) -> Preparation:
    """How images are prepared for a network of timm, from its ``pretrained_cfg``.

    The shorter side is resized to crop / ``crop_pct``, rounded down, as timm's evaluation does.
    (timm mostly resizes by cubic interpolation, :mod:`qat.data.resize` is linear.)

    Args:
        name: Its name in timm, with or without a tag.
        weights: A tag, or ``DEFAULT``; None takes the tag in the name or else timm's first one.

    Raises:
        UnknownNameError: If there is no network of that name.
        InputError: If timm is not installed, the tag is unknown, or the images are not square.
    """
    check_timm_name(name)
    from timm.data import resolve_data_config

    published = _published(name, weights or "DEFAULT")
    config = resolve_data_config({}, pretrained_cfg=published.to_dict())
    height, width = config["input_size"][1:]
    if height != width:
        raise InputError(
            f"{name} takes images of {height}x{width}, which are not square: set data.resize and "
            "data.crop, data.mean and data.std, and give the weights as model.checkpoint=FILE"
        )
    resize = math.floor(height / config["crop_pct"])
    mean, std = (tuple(map(float, config[key])) for key in ("mean", "std"))
    return Preparation(_full_name(published), mean, std, resize, height)


def _with_torchs_layers(net: nn.Module) -> nn.Module:
    """Let timm's ``Linear`` be torch's, in place: it differs only where a network is scripted."""
    from timm.layers import Linear

    for module in net.modules():
        if type(module) is Linear:
            module.__class__ = nn.Linear
    return net


def _architecture(name: str) -> str:
    return name.partition(".")[0]


def _full_name(config: Any) -> str:
    return f"{config.architecture}.{config.tag}" if config.tag else str(config.architecture)


def _published(name: str, weights: str) -> Any:
    """The ``pretrained_cfg`` in timm of a network's weights."""
    from timm.models import get_pretrained_cfg, list_models

    architecture, _, tag = name.partition(".")
    if tag and weights not in ("DEFAULT", tag):
        raise InputError(
            f"model.name={name} names the weights {tag}, and model.weights={weights} others: give "
            "one of them"
        )
    if weights == "DEFAULT" and not tag:
        return get_pretrained_cfg(architecture)
    tagged = list_models(f"{architecture}.*", include_tags=True)
    tags = [full.partition(".")[2] for full in tagged]
    if (wanted := tag or weights) not in tags:
        known = ", ".join(tags) or "none"
        raise InputError(f"{architecture} has weights {known}, not {wanted!r}")
    return get_pretrained_cfg(f"{architecture}.{wanted}")


def _hub_place(config: Any) -> tuple[str, str | None, tuple[str, ...]]:
    """Repository, revision and file names of weights on the Hugging Face hub."""
    repository, _, revision = str(config.hf_hub_id).partition("@")
    own = config.hf_hub_filename
    return repository, revision or None, (own,) if own else _FILES


def _cached(config: Any) -> Path | None:
    """The file of published weights in timm's cache; None if it is not there."""
    if config.hf_hub_id:
        from huggingface_hub import try_to_load_from_cache

        repository, revision, files = _hub_place(config)
        for file in files:
            found = try_to_load_from_cache(repository, file, revision=revision)
            if isinstance(found, str):
                return Path(found)
    if config.url:
        path = Path(torch.hub.get_dir()) / "checkpoints" / Path(config.url).name
        return path if path.is_file() else None
    return None


def _not_here(config: Any) -> InputError:
    return InputError(
        f"weights {_full_name(config)} are not in timm's cache, and qat downloads nothing unasked: "
        "set model.download=true, or give the file as model.checkpoint=FILE"
    )


def _downloaded(config: Any) -> Path:
    """Download weights into timm's cache.

    Raises:
        InputError: If it fails.
    """
    try:
        if config.hf_hub_id:
            from huggingface_hub import hf_hub_download

            repository, revision, files = _hub_place(config)
            return Path(hf_hub_download(repository, files[0], revision=revision))
        from timm.models._hub import download_cached_file

        return Path(download_cached_file(config.url))
    except Exception as error:  # the hub's client raises errors of several libraries
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"weights {_full_name(config)} cannot be downloaded ({reason}); use a file instead: "
            "model.checkpoint=FILE"
        ) from error
