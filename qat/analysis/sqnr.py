"""Signal-to-quantization-noise ratio.

SQNR = 10 log10( sum r^2 / sum (r - r')^2 )  dB
"""

import torch
from torch import Tensor

from qat.base.errors import InputError


def sqnr_db(reference: Tensor, approximation: Tensor) -> float:
    """SQNR in dB; infinite where the two are equal, minus infinite where only noise is left.

    Raises:
        ValueError: If shapes differ, or values are NaN or infinite.
    """
    if reference.shape != approximation.shape:
        raise InputError(f"shapes differ: {reference.shape} and {approximation.shape}")
    signal = reference.double().square().sum()
    noise = (reference.double() - approximation.double()).square().sum()
    if not bool(torch.isfinite(signal) & torch.isfinite(noise)):
        raise InputError("no SQNR of tensors that hold NaN or infinity: the network diverged")
    if noise == 0:
        return float("inf")
    return float(10 * torch.log10(signal / noise))
