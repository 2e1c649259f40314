"""Put one module in the place of another."""

from torch import nn

from qat.base.errors import InputError
from qat.core.plan import LayerPlan
from qat.layers.registry import twin_of
from qat.layers.twin import QuantTwin


def make_twin(layer: nn.Module, plan: LayerPlan) -> QuantTwin:
    """The twin of a float layer.

    Raises:
        ValueError: If it has none.
    """
    twin = twin_of(layer)
    if twin is None:
        raise InputError(
            f"layer {plan.name!r} is a {type(layer).__name__}, which has no quantized twin: "
            "take it out of plan.layers (qat.make_plan plans only layers that have one)"
        )
    return twin.from_float(layer, plan)


def replace_module(net: nn.Module, name: str, new: nn.Module) -> None:
    """Under all its names: a layer may be used in several places."""
    old = net.get_submodule(name)
    for parent in list(net.modules()):
        for child, module in list(parent._modules.items()):
            if module is old:
                setattr(parent, child, new)
