"""Which float layer has which quantized twin."""

from torch import nn

from qat.layers.conv import QuantConv1d, QuantConv2d
from qat.layers.linear import QuantLinear
from qat.layers.twin import QuantTwin

TWINS: dict[type[nn.Module], type[QuantTwin]] = {
    nn.Conv1d: QuantConv1d,
    nn.Conv2d: QuantConv2d,
    nn.Linear: QuantLinear,
}


def twin_of(layer: nn.Module) -> type[QuantTwin] | None:
    """The twin's class; None for a layer that has none.

    A subclass may compute otherwise, and so may a layer whose weight is computed from something
    else before each call (spectral norm): they have none.
    """
    twin = TWINS.get(type(layer))
    return twin if twin and isinstance(layer.weight, nn.Parameter) else None
