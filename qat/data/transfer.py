"""Copies to a device, without waiting for it."""

import torch
from torch import Tensor


def to_device(x: Tensor, device: torch.device | str) -> Tensor:
    """``x`` on ``device``; a copy to an NVIDIA GPU does not wait for the GPU's work to end.

    Only page-locked memory can be copied while the program continues. torch keeps such memory
    until the copy has ended, and uses it again for the next one.

    Args:
        x: On any device.
        device: To copy to; ``x`` itself is returned if it is there.

    Example:
        >>> x = torch.arange(3)
        >>> to_device(x, "cpu") is x
        True
    """
    target = torch.device(device)
    if x.device.type == "cpu" and target.type == "cuda":
        return x.pin_memory().to(target, non_blocking=True)
    return x.to(target)
