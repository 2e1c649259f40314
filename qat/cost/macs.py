"""Multiply-accumulates and bit operations of each layer, for one image.

1 MAC = one multiply-accumulate of a conv or linear layer; biases, norms, activations and pools
count nothing. BOPs = MACs x stored weight bits x activation bits; float counts 32 x 32, fp16 16.
(As HAWQ-V3, arXiv:2011.10680, counts them; first and last layer included.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from torch import Tensor, nn

from qat.core.plan import Plan
from qat.graph.shapes import LayerCall, layer_calls

_CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
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
    """Costs of every layer with MACs, in order of first call.

    Args:
        net: The network, float or quantized.
        plan: Widths; layers it does not name, and all without a plan, are float.
        example: A batch the network accepts.
    """
    macs: dict[str, int] = {}
    for call in layer_calls(net, example):
        layer = net.get_submodule(call.name)
        count = call_macs(layer, call)
        if count:
            macs[call.name] = macs.get(call.name, 0) + count
    return [_cost(net.get_submodule(name), name, count, plan) for name, count in macs.items()]


def call_macs(layer: nn.Module, call: LayerCall) -> int:
    """MACs of one call for one image; 0 for a layer that is neither conv nor linear."""
    if isinstance(layer, _CONV):
        taps = layer.in_channels // layer.groups * prod(layer.kernel_size)
        return prod(call.output_shape[1:]) * taps
    if isinstance(layer, _TRANSPOSED):
        taps = layer.out_channels // layer.groups * prod(layer.kernel_size)
        return prod(call.input_shape[1:]) * taps
    if isinstance(layer, nn.Linear):
        return prod(call.output_shape[1:]) * layer.in_features
    return 0


def total_macs(costs: Iterable[LayerCost]) -> int:
    """MACs of a network for one image."""
    return sum(cost.macs for cost in costs)


def total_bops(costs: Iterable[LayerCost]) -> int:
    """Bit operations of a network for one image."""
    return sum(cost.bops for cost in costs)


def _cost(layer: nn.Module, name: str, macs: int, plan: Plan | None) -> LayerCost:
    weights = layer.weight.numel()  # type: ignore[operator, union-attr]
    planned = plan.layers.get(name) if plan else None
    weight_bits, act_bits = FLOAT_BITS, FLOAT_BITS
    if planned:
        weight_bits, act_bits = planned.weight.stored_bits, planned.act.stored_bits
    return LayerCost(name, macs, weight_bits, act_bits, int(weights))
