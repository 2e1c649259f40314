"""Symmetric against asymmetric grids on given tensors, without a network and without training.

Each tensor goes through the very quantizer a network would use, over its min-max range or that of
least squared error. A tensor without negative values has unsigned codes, in a symmetric grid too.
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
        tensor: Its name.
        signed: Whether the grid's codes are.
        range: How the range was found.
        row: What quantization did to it.
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
    """Every tensor, symmetric and asymmetric, at every width and by every range."""
    return [
        _row(name, values, quantized(values, bits, symmetric, range_), range_)
        for name, values in tensors.items()
        for range_ in ranges
        for bits in widths
        for symmetric in (True, False)
    ]


def quantized(x: Tensor, bits: int, symmetric: bool, range_: str) -> Quantizer:
    """A calibrated quantizer for a tensor, one scale for all of it."""
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
    """Quantization error of each value, in steps."""
    with torch.no_grad():
        return (quantizer(x) - x) / quantizer.qparams().scale


def _row(name: str, x: Tensor, quantizer: Quantizer, range_: str) -> SymmetryRow:
    return SymmetryRow(name, quantizer.grid.signed, range_, tensor_row(name, "act", x, quantizer))
