"""Build float networks by name, with initial weights from a seed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from qat.base.errors import InputError, UnknownNameError
from qat.models.names import BLOCKS, BUILTIN
from qat.models.resnet_cifar import CifarResNet
from qat.models.simple_cnn import SimpleCNN
from qat.models.timm import timm_model
from qat.models.torchvision import torchvision_model
from qat.models.user import user_model


def build_model(
    source: str,
    name: str,
    *,
    classes: int,
    in_channels: int,
    image_size: int,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> nn.Module:
    """A float network with initial weights; the global random generator is not changed.

    Args:
        source: ``builtin``, ``torchvision``, ``timm`` or ``user``.
        name: Name of the network; for ``user`` the target ``package.module:factory``.
        classes: Number of logits.
        in_channels: Channels of an image.
        image_size: Height and width of an image.
        options: Further arguments of the network; None for none.
        seed: Determines the initial weights.

    Raises:
        UnknownNameError: If there is no network of that name.
        InputError: If the network does not take an option, or not images of this size.

    Example:
        >>> net = build_model("builtin", "resnet20", classes=10, in_channels=3, image_size=32)
        >>> sum(p.numel() for p in net.parameters())
        269722
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sizes: dict[str, Any] = {
            "classes": classes,
            "in_channels": in_channels,
            "image_size": image_size,
        }
        if source == "user":  # a TypeError in the user's code is not a wrong option
            return user_model(name, sizes, dict(options or {}))
        try:
            return _build(source, name, sizes, dict(options or {}))
        except TypeError as error:
            raise InputError(f"model.options do not fit {name}: {error}") from error


def _build(source: str, name: str, sizes: dict[str, Any], options: dict[str, Any]) -> nn.Module:
    if source == "torchvision":
        sizes.pop("image_size")
        return torchvision_model(name, **sizes, **options)
    if source == "timm":
        sizes.pop("image_size")
        return timm_model(name, **sizes, **options)
    if name == "simple_cnn":
        return SimpleCNN(**sizes, **options)
    if name in BLOCKS:
        sizes.pop("image_size")
        return CifarResNet(BLOCKS[name], **sizes, **options)
    raise UnknownNameError(
        f"no model {name!r}; there are {', '.join(BUILTIN)}, torchvision, timm, user"
    )
