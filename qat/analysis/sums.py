"""Quantization error of a tensor, as sums that can be added over batches."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from qat.analysis.rows import TensorRow
from qat.analysis.sqnr import NoiseSums, noise_sums
from qat.core.qparams import QParams
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic

_EDGE = 1e-3  # in steps: a rounding error of floats at the end of the range is no clipping


@dataclass(frozen=True)
class GridSums:
    """Sums of a tensor on a quantizer's grid.

    Attributes:
        values: Number of values.
        clipped: Number of values more than half a step beyond the range.
        codes: The different codes that occur.
        most: Largest error, in steps.
        squares: Sum of squared errors, in steps.
    """

    values: int
    clipped: int
    codes: Tensor
    most: float
    squares: float

    def __add__(self, other: "GridSums") -> "GridSums":
        """Add the sums of another batch."""
        return GridSums(
            self.values + other.values,
            self.clipped + other.clipped,
            torch.cat([self.codes, other.codes]).unique(),
            max(self.most, other.most),
            self.squares + other.squares,
        )


@dataclass(frozen=True)
class TensorSums:
    """Sums of one tensor.

    Attributes:
        noise: Power of the tensor and of its error.
        grid: Sums on the grid; None for a cast, for a range of each input, and without a common
            step.
    """

    noise: NoiseSums
    grid: GridSums | None

    def __add__(self, other: "TensorSums") -> "TensorSums":
        """Add the sums of another batch."""
        both = self.grid is not None and other.grid is not None
        grid = self.grid + other.grid if both else None  # type: ignore[operator]
        return TensorSums(self.noise + other.noise, grid)

    def row(self, name: str, slot: str, quantizer: nn.Module) -> TensorRow:
        """Return the sums as a row.

        Args:
            name: Layer name of the row.
            slot: Slot of the row.
            quantizer: The quantizer of the tensor.

        Raises:
            ValueError: If the tensor held NaN or infinity.
        """
        sqnr = self.noise.sqnr_db()
        if self.grid is None:
            return TensorRow(name, slot, sqnr)
        assert isinstance(quantizer, Quantizer)
        qparams = quantizer.qparams()
        low, high = _ends(qparams)
        return TensorRow(
            name=name,
            slot=slot,
            sqnr_db=sqnr,
            bits=quantizer.grid.bits,
            symmetric=quantizer.spec.symmetric,
            granularity=quantizer.spec.granularity,
            step=float(qparams.scale.mean()),
            rmin=float(low.min()),
            rmax=float(high.max()),
            used_codes=int(self.grid.codes.numel()) / quantizer.grid.levels,
            clipped=self.grid.clipped / self.grid.values,
            max_error_steps=self.grid.most,
            rms_error_steps=math.sqrt(self.grid.squares / self.grid.values),
        )


@torch.no_grad()
def tensor_sums(x: Tensor, quantizer: nn.Module) -> TensorSums:
    """Return the sums of a tensor that a quantizer rounds.

    Args:
        x: The float tensor.
        quantizer: Its quantizer, calibrated.
    """
    after = quantizer(x)
    noise = noise_sums(x, after)
    if not isinstance(quantizer, Quantizer) or not has_step(quantizer):
        return TensorSums(noise, None)
    qparams = quantizer.qparams()
    error = (_rows(qparams, after) - _rows(qparams, x)) / qparams.scale.reshape(-1, 1)
    grid = GridSums(
        values=x.numel(),
        clipped=int(clipped(x, qparams).sum()),
        codes=_different(quantizer.encode(x)),
        most=float(error.abs().max()),
        squares=float(error.double().square_().sum()),
    )
    return TensorSums(noise, grid)


def has_step(quantizer: Quantizer) -> bool:
    """Whether a quantizer has an affine grid of its own, with a scale before it sees its input."""
    return not is_dynamic(quantizer) and quantizer.codebook() is None


def _different(codes: Tensor) -> Tensor:
    """Return the different codes, by counting, which is faster than sorting."""
    flat, low = codes.flatten().long(), codes.min()
    return torch.bincount(flat - low).nonzero().flatten() + low


def clipped(x: Tensor, qparams: QParams) -> Tensor:
    """Return which values lie more than half a step beyond the range.

    Args:
        x: The float tensor.
        qparams: Its scales, zero points and grid.

    Returns:
        A boolean tensor ``(slices, n)``, one row for each scale.
    """
    low, high = _ends(qparams)
    reach = (0.5 + _EDGE) * qparams.scale.reshape(-1, 1)
    rows = _rows(qparams, x)
    return (rows < low - reach) | (rows > high + reach)


def _rows(qparams: QParams, x: Tensor) -> Tensor:
    return qparams.layout.sliced(x)


def _ends(qparams: QParams) -> tuple[Tensor, Tensor]:
    """Return the values of the first and the last code, each ``(slices, 1)``."""
    scale, zero_point = qparams.scale.reshape(-1, 1), qparams.zero_point.reshape(-1, 1)
    return (qparams.grid.qmin - zero_point) * scale, (qparams.grid.qmax - zero_point) * scale
