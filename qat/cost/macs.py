"""Multiply-accumulate operations (MACs) and bit operations (BOPs) of each layer, for one image.

1 MAC = one multiplication and addition of a convolution or a matrix product, whether a layer or a
function computes it (see :mod:`qat.graph.products`). Biases, normalization, activation functions
and pooling count 0.
BOPs = MACs x stored weight bits x activation bits; float counts 32 x 32, fp16 16 x 16, and the
first and last layer are included, as in HAWQ-V3 (arXiv:2011.10680). A parameter that is multiplied
outside its layer, and products of two activations as in attention, count as float.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from qat.core.plan import Plan
from qat.graph.products import Product, products

FLOAT_BITS = 32


@dataclass(frozen=True)
class LayerCost:
    """Costs of one layer.

    Attributes:
        name: Module name.
        macs: For one image, over all its calls.
        weight_bits: Stored width of a weight.
        act_bits: Width of an input.
        weights: Number of weights, without the bias.

    Example:
        >>> cost = LayerCost("fc", macs=640, weight_bits=4, act_bits=8, weights=640)
        >>> cost.bops, cost.weight_bytes
        (20480, 320)
    """

    name: str
    macs: int
    weight_bits: int
    act_bits: int
    weights: int

    @property
    def bops(self) -> int:
        """Bit operations for one image."""
        return self.macs * self.weight_bits * self.act_bits

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights, packed at their width."""
        return -(-self.weights * self.weight_bits // 8)


def layer_costs(net: nn.Module, plan: Plan | None, example: Tensor) -> list[LayerCost]:
    """Costs of everything that has MACs, in the order of the first call.

    An entry is a layer; or a parameter that is multiplied outside a layer
    (``attention.in_proj_weight``); or the products of activations within a module
    (``attention.matmul``), which have no weights.

    Args:
        net: The network, float or quantized.
        plan: The widths; a layer that it does not contain is float. None: all layers are float.
        example: A batch that the network accepts; its first image is run.

    Raises:
        UncountedError: If the network contains a product whose MACs are not known.

    Example:
        >>> import torch
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(), nn.Linear(128, 10))
        >>> costs = layer_costs(net, None, torch.zeros(1, 3, 4, 4))
        >>> [(cost.name, cost.macs) for cost in costs]
        [('0', 3456), ('2', 1280)]
    """
    macs: dict[str, int] = {}
    for product in products(net, example[:1]):
        name = _row(net, product)
        macs[name] = macs.get(name, 0) + product.macs
    return [_cost(net, name, count, plan) for name, count in macs.items()]


def _row(net: nn.Module, product: Product) -> str:
    if product.layer:
        return product.layer
    if not product.parameter:
        return f"{product.scope}.matmul".lstrip(".")
    owner, _, attribute = product.parameter.rpartition(".")
    is_layer = attribute == "weight" and owner and hasattr(net.get_submodule(owner), "weight")
    return owner if is_layer else product.parameter


def total_macs(costs: Iterable[LayerCost]) -> int:
    """MACs of a network for one image."""
    return sum(cost.macs for cost in costs)


def total_bops(costs: Iterable[LayerCost]) -> int:
    """Bit operations of a network for one image."""
    return sum(cost.bops for cost in costs)


def _cost(net: nn.Module, name: str, macs: int, plan: Plan | None) -> LayerCost:
    planned = plan.layers.get(name) if plan else None
    weight_bits, act_bits = FLOAT_BITS, FLOAT_BITS
    if planned:
        weight_bits, act_bits = planned.weight.stored_bits, planned.act.stored_bits
    return LayerCost(name, macs, weight_bits, act_bits, _weights(net, name))


def _weights(net: nn.Module, name: str) -> int:
    """Number of weights of a layer or parameter; 0 for a product of activations."""
    parameters = dict(net.named_parameters(remove_duplicate=False))
    if name in parameters:
        return parameters[name].numel()
    weight = getattr(dict(net.named_modules(remove_duplicate=False)).get(name), "weight", None)
    return int(weight.numel()) if isinstance(weight, Tensor) else 0
