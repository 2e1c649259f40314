"""Weight oscillation: how many weights change their code in a step.

Nagel et al. 2022, "Overcoming Oscillations in Quantization-Aware Training", arXiv:2203.11086,
section 3, follow single weights that jump between two codes; here the share of a tensor's weights
that have another code after a step than before it.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError


def flip_share(before: Tensor, after: Tensor) -> Tensor:
    """Share of codes that differ, 0 to 1, as a tensor without axes (nothing waits for a device).

    Raises:
        ValueError: If the shapes differ or there are no codes.
    """
    if before.shape != after.shape or before.numel() == 0:
        raise InputError(
            f"codes must be of one shape and not empty, got {tuple(before.shape)} and "
            f"{tuple(after.shape)}"
        )
    return torch.ne(before, after).double().mean()
