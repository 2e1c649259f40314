"""What a classifier must give: one tensor of logits, in evaluation and in training mode."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from qat.base.errors import InputError


def check_logits(output: Any, images: int, classes: int, mode: str) -> None:
    """Refuse an output that is no tensor ``(images, classes)``, and say how to get at one.

    Args:
        output: Of the network.
        images: It was given.
        classes: Of the data.
        mode: ``evaluation`` or ``training``, for the message.

    Raises:
        ValueError: If it is anything else.
    """
    needed = (images, classes)
    if isinstance(output, Tensor):
        if tuple(output.shape) != needed:
            raise InputError(
                f"the model gives logits of shape {tuple(output.shape)} in {mode} mode for "
                f"{images} images of {classes} classes: it must give {needed}"
            )
        return
    place = _place_of_logits(output, needed)
    cure = (
        f"wrap it by a module whose forward returns output{place}, and name its factory, "
        "model=user model.target=package.module:factory"
        if place
        else "let its forward return the logits alone"
    )
    raise InputError(
        f"the model gives a {type(output).__name__} in {mode} mode, and must give one tensor of "
        f"logits {needed}: {cure}"
    )


def _place_of_logits(output: Any, shape: tuple[int, int]) -> str | None:
    """How the logits are got out of an output: ``[0]``, ``['logits']`` or ``.logits``."""
    if isinstance(output, Mapping):
        items = [(f"[{key!r}]", value) for key, value in output.items()]
    elif isinstance(output, tuple | list):
        items = [(f"[{number}]", value) for number, value in enumerate(output)]
    else:
        items = [(f".{name}", value) for name, value in vars(output).items()]
    fitting = [place for place, one in items if isinstance(one, Tensor) and one.shape == shape]
    return fitting[0] if fitting else None
