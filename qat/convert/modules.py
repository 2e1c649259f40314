"""Replacement of one module of a network by another."""

from torch import nn

from qat.base.errors import InputError
from qat.core.plan import LayerPlan
from qat.layers.registry import twin_of
from qat.layers.twin import QuantTwin


def make_twin(layer: nn.Module, plan: LayerPlan) -> QuantTwin:
    """Return the quantized version of a float layer.

    Args:
        layer: A float layer.
        plan: Its name and its number formats.

    Raises:
        ValueError: If there is no quantized version of that class of layer.
    """
    twin = twin_of(layer)
    if twin is None:
        raise InputError(
            f"layer {plan.name!r} is a {type(layer).__name__}, which has no quantized version: "
            "remove it from plan.layers (qat.make_plan plans only layers that have one)"
        )
    return twin.from_float(layer, plan)


def replace_module(net: nn.Module, name: str, new: nn.Module) -> None:
    """Replace a module by another, in place, under all names that it has in the network.

    Args:
        net: The network.
        name: One of the names of the module that is replaced.
        new: The module that replaces it.

    Example:
        >>> net = nn.Sequential(nn.ReLU(), nn.Flatten())
        >>> replace_module(net, "0", nn.Tanh())
        >>> print(net)
        Sequential(
          (0): Tanh()
          (1): Flatten(start_dim=1, end_dim=-1)
        )
    """
    old = net.get_submodule(name)
    for parent in list(net.modules()):
        for child, module in list(parent._modules.items()):
            if module is old:
                setattr(parent, child, new)
