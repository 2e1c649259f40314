"""A codebook that is given and stays: what a packed file's weights are rounded to."""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.codebook import Codebook
from qat.core.kernels import grad_of
from qat.core.qparams import QParams
from qat.core.scheme import TensorSpec
from qat.quantizers.base import Quantizer


class TabledQuantizer(Quantizer):
    """Round to the nearest level of a fixed codebook; the gradient is passed straight through.

    Args:
        spec: What was asked of the tensor.
        book: The levels.
    """

    levels: Tensor

    def __init__(self, spec: TensorSpec, book: Codebook) -> None:
        super().__init__(spec, book.layout)
        self.register_buffer("levels", book.values)
        self.frozen = True
        self._set_ready()

    def codebook(self) -> Codebook:
        """The levels, wherever the module has been moved to."""
        return Codebook(self.levels, self.layout)

    def observe(self, x: Tensor) -> None:
        """Nothing is to be learned."""

    def quantize(self, x: Tensor) -> Tensor:
        """The nearest level."""
        with torch.no_grad():
            value = self.decode(self.encode(x))
        return grad_of(value, x)

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Refused: levels have no common step.

        Raises:
            ValueError: Always.
        """
        raise InputError("a codebook takes no scale: give it levels")

    def qparams(self) -> QParams:
        """Refused, as :meth:`set_qparams`.

        Raises:
            ValueError: Always.
        """
        raise InputError("a codebook has no scale: ask for codebook()")
