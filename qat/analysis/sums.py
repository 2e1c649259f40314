"""What a quantizer does to a tensor, as sums: those of batches add up to those of all images."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from qat.analysis.rows import TensorRow
from qat.analysis.sqnr import NoiseSums, noise_sums
from qat.core.qparams import QParams
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic

_EDGE = 1e-3  # in steps: float rounding at the end of the range is no clipping


@dataclass(frozen=True)
class GridSums:
    """How a tensor lies on a quantizer's grid.

    Attributes:
        values: How many.
        clipped: Those more than half a step beyond the range.
        codes: The different codes.
        most: Largest error, in steps.
        squares: Sum of squared errors, in steps.
    """

    values: int
    clipped: int
    codes: Tensor
    most: float
    squares: float

    def __add__(self, other: "GridSums") -> "GridSums":
        """Of both tensors together."""
        return GridSums(
            self.values + other.values,
            self.clipped + other.clipped,
            torch.cat([self.codes, other.codes]).unique(),
            max(self.most, other.most),
            self.squares + other.squares,
        )


@dataclass(frozen=True)
class TensorSums:
    """Both; the grid's are None of a cast, and of a range that is taken anew from each input."""

    noise: NoiseSums
    grid: GridSums | None

    def __add__(self, other: "TensorSums") -> "TensorSums":
        """Of both tensors together."""
        both = self.grid is not None and other.grid is not None
        grid = self.grid + other.grid if both else None  # type: ignore[operator]
        return TensorSums(self.noise + other.noise, grid)

    def row(self, name: str, slot: str, quantizer: nn.Module) -> TensorRow:
        """As a row."""
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
    """Of a tensor that a quantizer rounds."""
    after = quantizer(x)
    noise = noise_sums(x, after)
    if not isinstance(quantizer, Quantizer) or is_dynamic(quantizer):
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


def _different(codes: Tensor) -> Tensor:
    """The different codes, by counting: sorting millions of them takes longer than the network."""
    flat, low = codes.flatten().long(), codes.min()
    return torch.bincount(flat - low).nonzero().flatten() + low


def clipped(x: Tensor, qparams: QParams) -> Tensor:
    """Which values lie more than half a step beyond the range; rows ``(slices, n)``."""
    low, high = _ends(qparams)
    reach = (0.5 + _EDGE) * qparams.scale.reshape(-1, 1)
    rows = _rows(qparams, x)
    return (rows < low - reach) | (rows > high + reach)


def _rows(qparams: QParams, x: Tensor) -> Tensor:
    return qparams.layout.sliced(x)


def _ends(qparams: QParams) -> tuple[Tensor, Tensor]:
    """Values of the first and the last code, ``(slices, 1)``."""
    scale, zero_point = qparams.scale.reshape(-1, 1), qparams.zero_point.reshape(-1, 1)
    return (qparams.grid.qmin - zero_point) * scale, (qparams.grid.qmax - zero_point) * scale
