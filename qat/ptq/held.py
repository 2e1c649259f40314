"""Hold the codes that a rounding method chose, so that rounding to nearest gives them again.

The weight becomes ``scale * (q - zero_point)`` of the chosen codes, and its scale is frozen. Then
evaluation, packing, export and parity need not know that a method chose the codes.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.layers.norm import scale_and_shift
from qat.layers.twin import QuantTwin
from qat.quantizers.base import Quantizer


def quantized_weight(twin: QuantTwin) -> Quantizer | None:
    """The quantizer of a layer's weight; None if the weight is not rounded to codes."""
    quantizer = twin.weight_quantizer
    return quantizer if isinstance(quantizer, Quantizer) and quantizer.is_rounding else None


@torch.no_grad()
def hold(twin: QuantTwin, codes: Tensor) -> None:
    """Set the weight of a layer to the values of codes, and freeze its scale.

    Args:
        twin: A calibrated layer, changed in place.
        codes: int32 codes of the quantizer's grid, or indices into its codebook, of the shape of
            the weight.

    Raises:
        InputError: If the weight has no codes, or rounding to nearest would give other ones.

    Example:
        >>> from torch import nn
        >>> from qat.core.plan import LayerPlan
        >>> from qat.core.scheme import TensorSpec
        >>> from qat.layers.linear import QuantLinear
        >>> plan = LayerPlan("fc", "Linear", TensorSpec(bits=4, signed=True), TensorSpec(bits=32))
        >>> twin = QuantLinear.from_float(nn.Linear(2, 1), plan).eval()
        >>> twin.weight_quantizer.set_range(-3.5, 3.5)
        >>> hold(twin, torch.tensor([[3, -7]]))
        >>> twin.weight.tolist()
        [[1.5, -3.5]]
    """
    quantizer = quantized_weight(twin)
    if quantizer is None:
        raise InputError("the layer's weight has no codes to hold: it stays float")
    set_folded_weight(twin, quantizer.decode(codes.to(torch.int32)))
    quantizer.frozen = True
    if not torch.equal(quantizer.encode(twin.folded()[0]), codes.to(torch.int32)):
        raise InputError(
            f"{quantizer.label}: rounding to nearest does not give the chosen codes again with "
            f"{type(quantizer).__name__}: use quantizer@scheme.weight=minmax with rounding methods"
        )


@torch.no_grad()
def set_folded_weight(twin: QuantTwin, weight: Tensor) -> None:
    """Set the weight that a layer rounds; a batch norm that is folded at each use is divided out.

    Args:
        twin: The layer, changed in place.
        weight: Of the shape of the layer's weight.
    """
    if twin.norm is not None:
        factor = scale_and_shift(twin.norm)[0].reshape(-1, *[1] * (weight.ndim - 1))
        weight = weight / torch.where(factor == 0, torch.ones_like(factor), factor)
    twin.weight.copy_(weight)


@torch.no_grad()
def add_to_bias(twin: QuantTwin, change: Tensor) -> None:
    """Add to the bias of a layer's output; a layer without a bias gets one.

    Args:
        twin: The layer, changed in place.
        change: ``(out,)``, in the unit of the output with batch norm folded in.
    """
    if twin.norm is not None:
        factor = scale_and_shift(twin.norm)[0]
        change = change / torch.where(factor == 0, torch.ones_like(factor), factor)
    if twin.bias is None:
        twin.bias = torch.nn.Parameter(torch.zeros_like(change))  # type: ignore[assignment]
    twin.bias.add_(change.to(twin.bias.dtype))  # type: ignore[union-attr]
