"""Signal-to-quantization-noise ratio (SQNR).

SQNR = 10 log10( sum r^2 / sum (r - r')^2 )  dB
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from qat.base.errors import InputError


@dataclass(frozen=True)
class NoiseSums:
    """Power of a tensor and of its error, in double precision.

    Attributes:
        signal: Sum of squares.
        noise: Sum of squared errors.
    """

    signal: Tensor
    noise: Tensor

    def __add__(self, other: "NoiseSums") -> "NoiseSums":
        """Add the sums of another tensor."""
        return NoiseSums(self.signal + other.signal, self.noise + other.noise)

    def sqnr_db(self) -> float:
        """Return the SQNR in dB: infinite without noise, minus infinite without signal.

        Raises:
            ValueError: If the tensors held NaN or infinity.
        """
        if not bool(torch.isfinite(self.signal) & torch.isfinite(self.noise)):
            raise InputError("no SQNR of tensors that hold NaN or infinity: the network diverged")
        if self.noise == 0:
            return float("inf")
        return float(10 * torch.log10(self.signal / self.noise))


def sqnr_db(reference: Tensor, approximation: Tensor) -> float:
    """Return the SQNR in dB: infinite if both are equal, minus infinite if the reference is zero.

    Args:
        reference: The float tensor.
        approximation: The same tensor after quantization.

    Raises:
        ValueError: If shapes differ, or values are NaN or infinite.

    Example:
        >>> round(sqnr_db(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 4.5])), 2)
        20.0
    """
    return noise_sums(reference, approximation).sqnr_db()


def noise_sums(reference: Tensor, approximation: Tensor) -> NoiseSums:
    """Return the sums of a tensor and of its error.

    Args:
        reference: The float tensor.
        approximation: The same tensor after quantization.

    Raises:
        ValueError: If shapes differ.
    """
    if reference.shape != approximation.shape:
        raise InputError(f"shapes differ: {reference.shape} and {approximation.shape}")
    signal = reference.double()
    error = signal - approximation.double()
    return NoiseSums(signal.square().sum(), error.square_().sum())
