"""A quantizer with a fixed codebook, such as that of the weights in a packed file."""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.codebook import Codebook
from qat.core.kernels import grad_of
from qat.core.qparams import QParams
from qat.core.scheme import TensorSpec
from qat.quantizers.base import Quantizer


class TabledQuantizer(Quantizer):
    """Round to the nearest level of a fixed codebook, with a straight-through estimator.

    Args:
        spec: How the tensor was to be quantized.
        book: The levels.

    Example:
        >>> book = Codebook(torch.tensor([[-1.0, 0.0, 4.0]]))
        >>> quantizer = TabledQuantizer(TensorSpec(bits=2, signed=True), book)
        >>> quantizer(torch.tensor([-0.4, 2.1])).tolist(), quantizer.code_range()
        ([0.0, 4.0], (2, 0))
    """

    levels: Tensor
    unit_levels: Tensor | None
    level_scale: Tensor | None

    def __init__(self, spec: TensorSpec, book: Codebook) -> None:
        super().__init__(spec, book.layout)
        self.register_buffer("levels", book.values)
        self.register_buffer("unit_levels", book.unit)
        self.register_buffer("level_scale", book.scale)
        self.frozen = True
        self._set_ready()

    def codebook(self) -> Codebook:
        """The levels, on the device of the module."""
        return Codebook(self.levels, self.layout, self.unit_levels, self.level_scale)

    def observe(self, x: Tensor) -> None:
        """Do nothing: the levels are fixed."""

    def quantize(self, x: Tensor) -> Tensor:
        """Round each value to its nearest level."""
        with torch.no_grad():
            value = self.decode(self.encode(x))
        return grad_of(value, x)

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Not possible: the levels have no common step.

        Args:
            scale: Not used.
            zero_point: Not used.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "a codebook has no scale to set: create a TabledQuantizer with other levels"
        )

    def qparams(self) -> QParams:
        """Not available: the levels have no common step, see :meth:`codebook`.

        Raises:
            InputError: Always.
        """
        raise InputError("a codebook has no scale: use codebook()")
