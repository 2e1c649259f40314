"""Classifiers of torchvision by name."""

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qat.base.errors import InputError
from qat.models.names import check_torchvision_name

# Auxiliary heads only help training; a network to be quantized and timed must not contain them.
_WITHOUT_EXTRAS: dict[str, dict[str, Any]] = {
    name: {"aux_logits": False, "init_weights": True} for name in ("googlenet", "inception_v3")
}
_TRAINING_HEADS = ("GoogLeNet", "Inception3")
"""Classes of torchvision with auxiliary classifiers."""
_DATA_ALONE, _OBJECTS_TOO = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


def torchvision_model(
    name: str, classes: int, in_channels: int, weights: str | None = None, **options: Any
) -> nn.Module:
    """A classifier of torchvision, with its first convolution adapted to the channels of images.

    Args:
        name: Its name in torchvision, such as ``mobilenet_v2``.
        classes: Number of logits; pretrained weights need the number of their own classes.
        in_channels: Channels of an image; pretrained weights need 3.
        weights: A name in the weights enum of torchvision, such as ``DEFAULT``; None for random
            weights.
        options: Further arguments of the builder in torchvision.

    Raises:
        UnknownNameError: If there is no classifier of that name.
        InputError: If the weights are unknown, do not fit, cannot be downloaded, or are no data.
        TypeError: If the builder does not take an option.

    Example:
        >>> net = torchvision_model("mobilenet_v2", classes=10, in_channels=1)
        >>> net.features[0][0].weight.shape
        torch.Size([32, 1, 3, 3])
    """
    check_torchvision_name(name)
    if weights is not None:
        return _pretrained(name, weights, classes, in_channels, options)
    arguments = _WITHOUT_EXTRAS.get(name, {}) | options
    import torchvision.models as zoo  # slow: only for its own networks

    net = zoo.get_model(name, weights=None, num_classes=classes, **arguments)
    if in_channels != 3:
        _adapt_first_conv(net, in_channels)
    return net


def without_training_heads(net: nn.Module) -> nn.Module:
    """Remove the auxiliary classifiers of torchvision's GoogLeNet and Inception, in place.

    With them these networks return a tuple of logits in training mode. Load weights before, since
    checkpoints contain those of the auxiliary classifiers. Other networks are unchanged.
    """
    if _has_training_heads(net):
        net.aux_logits = False  # type: ignore[assignment]
        for name in ("aux1", "aux2", "AuxLogits"):
            if hasattr(net, name):
                setattr(net, name, None)
    return net


def _has_training_heads(net: nn.Module) -> bool:
    """Whether it is one of these networks, of torchvision or derived; imports no torchvision."""
    classes = [c for c in type(net).__mro__ if c.__module__.startswith("torchvision.models")]
    return any(c.__name__ in _TRAINING_HEADS for c in classes) and bool(net.aux_logits)


def _pretrained(
    name: str, weights: str, classes: int, in_channels: int, options: dict[str, Any]
) -> nn.Module:
    import torchvision.models as zoo

    enum = zoo.get_model_weights(name)
    if weights not in enum.__members__:
        raise InputError(f"{name} has weights {', '.join(enum.__members__)}, not {weights!r}")
    meta = enum[weights].meta
    if len(meta["categories"]) != classes or in_channels != 3:
        raise InputError(
            f"weights {weights} of {name} are for {len(meta['categories'])} classes and 3 "
            f"channels, the data has {classes} and {in_channels}: set model.weights=null"
        )
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(enum[weights].url).name
    try:
        with _reading_data_alone():
            return zoo.get_model(name, weights=enum[weights], **options)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        if file.exists():
            raise InputError(
                f"weights {weights} of {name}: {file} is damaged, or holds other objects than "
                "tensors, which could be code: delete it, so that it is downloaded again, or use "
                "another file: model.checkpoint=FILE"
            ) from error
        raise InputError(
            f"weights {weights} of {name} cannot be downloaded ({error}); "
            "use a file instead: model.checkpoint=FILE"
        ) from error


@contextmanager
def _reading_data_alone() -> Iterator[None]:
    """Let torch read tensors alone inside the block, although torchvision does not ask for it."""
    others = {name: os.environ.pop(name, None) for name in (_DATA_ALONE, _OBJECTS_TOO)}
    os.environ[_DATA_ALONE] = "1"
    try:
        yield
    finally:
        del os.environ[_DATA_ALONE]
        os.environ.update({name: value for name, value in others.items() if value is not None})


def _adapt_first_conv(net: nn.Module, in_channels: int) -> None:
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            parent, _, child = name.rpartition(".")
            setattr(net.get_submodule(parent), child, _with_channels(module, in_channels))
            return


def _with_channels(conv: nn.Conv2d, in_channels: int) -> nn.Conv2d:
    names = ("out_channels", "kernel_size", "stride", "padding", "dilation", "padding_mode")
    arguments: dict[str, Any] = {name: getattr(conv, name) for name in names}
    return nn.Conv2d(in_channels, bias=conv.bias is not None, **arguments)
