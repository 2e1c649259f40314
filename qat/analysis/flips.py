"""Weight oscillation: the share of weights that change their code in a step.

Nagel et al. 2022, "Overcoming Oscillations in Quantization-Aware Training", arXiv:2203.11086,
section 3, follow single weights that switch between two codes. This measure is the share of a
tensor's weights whose codes before and after a step differ.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError


def flip_share(before: Tensor, after: Tensor) -> Tensor:
    """Return the share of codes that differ, 0 to 1.

    Args:
        before: Codes before the step.
        after: Codes after the step, of the same shape.

    Returns:
        A tensor without axes, so that no value is copied from the device.

    Raises:
        ValueError: If the shapes differ or there are no codes.

    Example:
        >>> float(flip_share(torch.tensor([1, 2, 3, 4]), torch.tensor([1, 2, 3, 5])))
        0.25
    """
    if before.shape != after.shape or before.numel() == 0:
        raise InputError(
            f"codes must have one shape and not be empty, got {tuple(before.shape)} and "
            f"{tuple(after.shape)}"
        )
    return torch.ne(before, after).double().mean()
