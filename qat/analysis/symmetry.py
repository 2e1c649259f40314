"""Comparison of symmetric and asymmetric grids on single tensors, without a network.

Each tensor is quantized by the quantizer that a network would use, with its min-max range or the
range of least squared error. A tensor without negative values has unsigned codes, also on a
symmetric grid.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from qat.analysis.layers import tensor_row
from qat.analysis.rows import TensorRow
from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer
from qat.quantizers.registry import make_quantizer

WIDTHS = (2, 3, 4, 5, 6, 7, 8)
RANGES = ("minmax", "mse")


@dataclass(frozen=True)
class SymmetryRow:
    """One tensor on one grid.

    Attributes:
        tensor: Name of the tensor.
        signed: Whether the codes are signed.
        range: Name of the observer that set the range.
        row: Figures of its quantization error.
    """

    tensor: str
    signed: bool
    range: str
    row: TensorRow


def symmetry_rows(
    tensors: Mapping[str, Tensor],
    widths: Sequence[int] = WIDTHS,
    ranges: Iterable[str] = RANGES,
) -> list[SymmetryRow]:
    """Quantize every tensor on symmetric and asymmetric grids of every width and range.

    Args:
        tensors: Name → float tensor.
        widths: Widths of a code, in bits.
        ranges: Names of observers, such as ``minmax`` and ``mse``.

    Example:
        >>> rows = symmetry_rows({"x": torch.tensor([0.0, 1.0, 3.0])}, [2], ["minmax"])
        >>> [(row.row.symmetric, row.row.step) for row in rows]
        [(True, 1.0), (False, 1.0)]
    """
    return [
        _row(name, values, quantized(values, bits, symmetric, range_), range_)
        for name, values in tensors.items()
        for range_ in ranges
        for bits in widths
        for symmetric in (True, False)
    ]


def quantized(x: Tensor, bits: int, symmetric: bool, range_: str) -> Quantizer:
    """Return a calibrated quantizer with one scale for a tensor.

    Args:
        x: The float tensor.
        bits: Width of a code.
        symmetric: Whether the zero point is 0.
        range_: Name of the observer that sets the range.
    """
    spec = TensorSpec(
        bits=bits,
        symmetric=symmetric,
        signed=bool((x < 0).any()),
        granularity="tensor",
        quantizer=Method("minmax"),
        observer=Method(range_),
    )
    quantizer = make_quantizer(spec, Layout())
    assert isinstance(quantizer, Quantizer)
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    return quantizer.to(x.device).eval()


def error_steps(x: Tensor, quantizer: Quantizer) -> Tensor:
    """Return the quantization error of each value, in steps.

    Args:
        x: The float tensor.
        quantizer: Its quantizer, calibrated, with one scale.
    """
    with torch.no_grad():
        return (quantizer(x) - x) / quantizer.qparams().scale


def _row(name: str, x: Tensor, quantizer: Quantizer, range_: str) -> SymmetryRow:
    return SymmetryRow(name, quantizer.grid.signed, range_, tensor_row(name, "act", x, quantizer))
