"""Signal-to-quantization-noise ratio.

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
        """Of both tensors together."""
        return NoiseSums(self.signal + other.signal, self.noise + other.noise)

    def sqnr_db(self) -> float:
        """SQNR in dB; infinite without noise, minus infinite where only noise is left.

        Raises:
            InputError: If the tensors held NaN or infinity.
        """
        if not bool(torch.isfinite(self.signal) & torch.isfinite(self.noise)):
            raise InputError("no SQNR of tensors that hold NaN or infinity: the network diverged")
        if self.noise == 0:
            return float("inf")
        return float(10 * torch.log10(self.signal / self.noise))


def sqnr_db(reference: Tensor, approximation: Tensor) -> float:
    """SQNR in dB; infinite where the two are equal, minus infinite where only noise is left.

    Raises:
        ValueError: If shapes differ, or values are NaN or infinite.
    """
    return noise_sums(reference, approximation).sqnr_db()


def noise_sums(reference: Tensor, approximation: Tensor) -> NoiseSums:
    """Of a tensor and of what became of it.

    Raises:
        InputError: If shapes differ.
    """
    if reference.shape != approximation.shape:
        raise InputError(f"shapes differ: {reference.shape} and {approximation.shape}")
    signal = reference.double()
    error = signal - approximation.double()
    return NoiseSums(signal.square().sum(), error.square_().sum())
