"""Check that a classifier returns one tensor of logits, in evaluation and in training mode."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from qat.base.errors import InputError
from qat.base.plurals import counted


def check_logits(output: Any, images: int, classes: int, mode: str) -> None:
    """Refuse an output that is not a tensor ``(images, classes)``.

    Args:
        output: What the network returned.
        images: Number of images in the input.
        classes: Number of classes of the data.
        mode: ``evaluation`` or ``training``, for the message.

    Raises:
        InputError: If the output is anything else; the message says where it contains such a
            tensor, if it does.

    Example:
        >>> import torch
        >>> check_logits(torch.zeros(2, 10), images=2, classes=10, mode="training")
        >>> check_logits(torch.zeros(2, 9), images=2, classes=10, mode="training")
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: the model returns logits of shape (2, 9) in training mode for \
2 images of 10 classes: it must return (2, 10)
    """
    needed = (images, classes)
    if isinstance(output, Tensor):
        if tuple(output.shape) != needed:
            raise InputError(
                f"the model returns logits of shape {tuple(output.shape)} in {mode} mode for "
                f"{counted(images, 'image')} of {classes} classes: it must return {needed}"
            )
        return
    place = _place_of_logits(output, needed)
    cure = (
        f"wrap it in a module whose forward returns output{place}, and name its factory, "
        "model=user model.target=package.module:factory"
        if place
        else "let its forward return only the logits"
    )
    raise InputError(
        f"the model returns a {type(output).__name__} in {mode} mode, and must return one tensor "
        f"of logits {needed}: {cure}"
    )


def _place_of_logits(output: Any, shape: tuple[int, int]) -> str | None:
    """Expression that gets the logits from an output: ``[0]``, ``['logits']`` or ``.logits``."""
    if isinstance(output, Mapping):
        items = [(f"[{key!r}]", value) for key, value in output.items()]
    elif isinstance(output, tuple | list):
        items = [(f"[{number}]", value) for number, value in enumerate(output)]
    else:
        items = [(f".{name}", value) for name, value in vars(output).items()]
    fitting = [place for place, part in items if isinstance(part, Tensor) and part.shape == shape]
    return fitting[0] if fitting else None
