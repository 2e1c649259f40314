"""Block formats with a shared power of two as scale: MXFP8, MXFP6, MXFP4 and MXINT8.

OCP Microscaling Formats (MX) Specification v1.0, and Rouhani et al. 2023, "Microscaling Data
Formats for Deep Learning", arXiv:2310.10537, Algorithm 1 (see :mod:`qat.core.blocks`). 32 values
along the input channels share ``X``:

    X = 2^(floor(log2(max|V|)) - emax),   r' = X * round(r / X)     with saturation

The gradient of r is 1 where it does not saturate, 0 where it does. ``X`` is computed from the
values whenever they are rounded: there is no calibration, no state, and granularity has no effect.

Differs from the specification as :mod:`qat.core.blocks` does. The blocks of a convolution's weight
``(out, in, *kernel)`` run along ``in`` at each place of the kernel, as those of its input do at
each pixel; a depthwise layer has one input channel, so each weight has its own scale there.

Cites: rouhani2023microscaling.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.blocks import block_scales, from_e8m0, in_blocks, out_of_blocks, to_e8m0
from qat.core.checks import require
from qat.core.formats import MX_FORMATS
from qat.core.kernels import body
from qat.core.layout import Layout
from qat.core.minifloat import codes_of, rounded_to, values_of
from qat.core.qparams import QParams
from qat.core.scheme import TensorSpec
from qat.quantizers.base import Quantizer


class MXQuantizer(Quantizer):
    """Fake-quantize blocks of 32 values over their own largest magnitude.

    Args:
        spec: How the tensor is to be quantized; its format is one of ``MX_FORMATS``.
        layout: Not used: blocks have their own scales.

    Attributes:
        axis: Axis of the input channels.

    Example:
        >>> quantizer = MXQuantizer(TensorSpec(format="mxfp4_e2m1", signed=True), Layout())
        >>> quantizer(torch.tensor([[0.3, 2.6, -1.3]])).tolist()  # X = 2^(1 - 2)
        [[0.25, 3.0, -1.5]]
    """

    reads_each_input = True

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, Layout())
        self.name, self.axis = spec.format, 1
        self.largest = MX_FORMATS[spec.format].largest
        self._set_ready()

    def adopt_range(self) -> None:
        """Do nothing: observed values have only been checked for NaN and infinity."""

    def quantize(self, x: Tensor) -> Tensor:
        """Round each block; the gradient passes where values do not saturate."""
        value, ends = _rounded(x.detach(), self.axis, self.name)
        if not (torch.is_grad_enabled() and x.requires_grad):
            return value
        return value + torch.where(x.detach().abs() <= ends, x - x.detach(), 0.0)

    def encode_blocks(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes of the elements (int32, shape of ``x``), and of the scales (E8M0, uint8).

        Raises:
            InputError: If ``x`` contains NaN, which has no code.
        """
        require(~torch.isnan(x).any(), "NaN has no code: find where the values became NaN")
        values, scales = _in_format(x, self.axis, self.name)
        codes = out_of_blocks(codes_of(values, self.name), self.axis, x.shape[self.axis])
        return codes, to_e8m0(scales).squeeze(_axis_of_values(self.axis))

    def decode_blocks(self, codes: Tensor, exponents: Tensor) -> Tensor:
        """Values of both results of :meth:`encode_blocks`, float32.

        Args:
            codes: Of the elements.
            exponents: Of the scales, E8M0.
        """
        blocks = in_blocks(values_of(codes, self.name), self.axis)
        scales = from_e8m0(exponents).unsqueeze(_axis_of_values(self.axis))
        return out_of_blocks(blocks * scales, self.axis, codes.shape[self.axis])

    def encode(self, x: Tensor) -> Tensor:
        """Codes of the elements, int32; the scales have their own, see :meth:`encode_blocks`.

        Raises:
            InputError: If ``x`` contains NaN, which has no code.
        """
        return self.encode_blocks(x)[0]

    def decode(self, codes: Tensor) -> Tensor:
        """Not available: values need the scales too, see :meth:`decode_blocks`.

        Raises:
            InputError: Always.
        """
        raise InputError(f"codes of {self.name} need the scales of blocks: use decode_blocks()")

    def code_range(self) -> tuple[int, int]:
        """``(bits, 0)``: codes are the bits of the elements."""
        return self.spec.bits, 0

    def qparams(self) -> QParams:
        """Not available: the scales depend on the input.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.name} has no scale before it sees its input")

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Not possible, as :meth:`qparams`.

        Args:
            scale: Not used.
            zero_point: Not used.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.name} takes its scales from each input")

    def extra_repr(self) -> str:
        """Text within the parentheses of ``print(net)``."""
        return self.name


def _axis_of_values(axis: int) -> int:
    """The axis of the values of a block, after the division of ``axis``."""
    return axis + 1 if axis >= 0 else axis


def _in_format(x: Tensor, axis: int, name: str) -> tuple[Tensor, Tensor]:
    """Rounded ``r / X`` in blocks, and ``X`` of each."""
    blocks = in_blocks(x.to(torch.promote_types(x.dtype, torch.float32)), axis)
    scales = block_scales(blocks, axis, name)
    return rounded_to(blocks / scales, name), scales


@body
def _rounded(x: Tensor, axis: int, name: str) -> tuple[Tensor, Tensor]:
    """Rounded values, and the largest magnitude that each can have; both of the shape of ``x``."""
    values, scales = _in_format(x, axis, name)
    ends = (scales * MX_FORMATS[name].largest).expand_as(values)
    length = x.shape[axis]
    return out_of_blocks(values * scales, axis, length), out_of_blocks(ends, axis, length)
