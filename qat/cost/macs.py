"""Multiply-accumulates and bit operations of each layer, for one image.

1 MAC = one multiply-accumulate of a convolution or a matrix product, however it is written (see
:mod:`qat.graph.products`); biases, norms, activations and pools count nothing.
BOPs = MACs x stored weight bits x activation bits; float counts 32 x 32, fp16 16. (As HAWQ-V3,
arXiv:2011.10680, counts them; first and last layer included.) A parameter that is multiplied
without its layer, and products of two activations as in attention, are float.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from qat.core.plan import Plan
from qat.graph.products import Product, products

FLOAT_BITS = 32


@dataclass(frozen=True)
class LayerCost:
    """One layer's share.

    Attributes:
        name: Module name.
        macs: For one image, over all its calls.
        weight_bits: Stored width of a weight.
        act_bits: Width of an input.
        weights: Number of weights, bias apart.
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
        """Bytes of the weights at their width."""
        return -(-self.weights * self.weight_bits // 8)


def layer_costs(net: nn.Module, plan: Plan | None, example: Tensor) -> list[LayerCost]:
    """Costs of everything with MACs, in order of first call.

    A row is a layer; outside of layers a parameter (``attention.in_proj_weight``), or the products
    of activations in a module (``attention.matmul``), which have no weights.

    Args:
        net: The network, float or quantized.
        plan: Widths; layers it does not name, and all without a plan, are float.
        example: A batch the network accepts; one image of it is run.

    Raises:
        UncountedError: If the network computes something whose MACs are not known.
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
    """Of the layer of that name, or of the parameter; none of a product of activations."""
    parameters = dict(net.named_parameters(remove_duplicate=False))
    if name in parameters:
        return parameters[name].numel()
    weight = getattr(dict(net.named_modules(remove_duplicate=False)).get(name), "weight", None)
    return int(weight.numel()) if isinstance(weight, Tensor) else 0
