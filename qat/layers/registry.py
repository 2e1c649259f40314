"""The quantized twin of each kind of float layer."""

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
    """The class of the twin of a layer; None if it has no twin.

    Subclasses of float layers have no twin, since they may compute something else. Neither has a
    layer whose weight is computed before each call, as by spectral norm.

    Example:
        >>> twin_of(nn.Linear(2, 1)).__name__, twin_of(nn.Bilinear(2, 2, 1))
        ('QuantLinear', None)
    """
    twin = TWINS.get(type(layer))
    return twin if twin and isinstance(layer.weight, nn.Parameter) else None
