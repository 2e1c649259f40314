"""Costs of each layer at each width.

Weight bytes are those of the codes, ``ceil(weights * bits / 8)``. Bit operations (BOPs) are
multiply-accumulate operations (MACs) x weight bits x activation bits (see :mod:`qat.cost.macs`).
Activation bytes are for one image. All convolution and linear layers count; those that stay float
count with 32 bits. The latency of a layer is the time that was measured in a runtime at ``(weight
bits, activation bits)``; the latency of the network is the sum over its layers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.plan import Plan
from qat.cost.macs import layer_costs
from qat.sensitivity.widths import Bits, Slot

COSTS = ("weight_bytes", "average_weight_bits", "bops", "peak_activation_bytes", "latency_ms")
Latency = Mapping[str, Mapping[tuple[int, int], float]]
"""Layer → (weight bits, activation bits) → milliseconds."""


@dataclass(frozen=True)
class LayerFigures:
    """Counts of one layer, and its widths in the plan.

    Attributes:
        name: Module name.
        weights: Number of weights.
        macs: MACs for one image.
        weight_bits: Width of the weights where no other is chosen.
        act_bits: Width of the input where no other is chosen.

    Example:
        >>> LayerFigures("fc", weights=100, macs=100, weight_bits=8, act_bits=8).macs
        100
    """

    name: str
    weights: int
    macs: int
    weight_bits: int
    act_bits: int


@dataclass(frozen=True)
class LiveTensors:
    """Activations that are alive while one operation runs, for one image.

    Attributes:
        name: Name of the operation.
        fixed_bits: Bits of the tensors whose width no layer decides.
        elements: Layer → number of elements that have the width of its input.
    """

    name: str
    fixed_bits: int
    elements: Mapping[str, int]


@dataclass(frozen=True)
class NetworkCosts:
    """Costs of a network as functions of its widths.

    Each method takes ``bits``, slot → width; slots that are not named have the width of the plan.

    Attributes:
        layers: In order of first call.
        latency: Measured times of layers; None if there are none.
        steps: Lifetimes of activations (see :mod:`qat.allocate.activations`); may be empty.

    Example:
        >>> layer = LayerFigures("fc", weights=100, macs=100, weight_bits=8, act_bits=8)
        >>> costs = NetworkCosts((layer,))
        >>> costs.weight_bytes({("fc", "weight"): 3})  # 300 bits
        38
    """

    layers: tuple[LayerFigures, ...]
    latency: Latency | None = None
    steps: tuple[LiveTensors, ...] = ()
    _by_name: dict[str, LayerFigures] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the layers."""
        object.__setattr__(self, "_by_name", {layer.name: layer for layer in self.layers})

    def width(self, slot: Slot, bits: Bits) -> int:
        """Width of a slot: the chosen one, else that of the plan.

        Args:
            slot: ``(layer, weight | act)``.
            bits: Slot → chosen width.
        """
        if slot in bits:
            return bits[slot]
        layer = self._by_name[slot[0]]
        return layer.weight_bits if slot[1] == "weight" else layer.act_bits

    def widths(self, layer: str, bits: Bits) -> tuple[int, int]:
        """Weight and activation bits of a layer.

        Args:
            layer: Module name.
            bits: Slot → chosen width.
        """
        return self.width((layer, "weight"), bits), self.width((layer, "act"), bits)

    def weight_bytes(self, bits: Bits) -> float:
        """Bytes of all weights."""
        return sum(
            weight_bytes(layer.weights, self.width((layer.name, "weight"), bits))
            for layer in self.layers
        )

    def average_weight_bits(self, bits: Bits) -> float:
        """Mean width over all weights."""
        total = sum(layer.weights for layer in self.layers)
        spent = sum(
            layer.weights * self.width((layer.name, "weight"), bits) for layer in self.layers
        )
        return spent / total

    def bops(self, bits: Bits) -> float:
        """Bit operations for one image."""
        total = 0
        for layer in self.layers:
            weight, act = self.widths(layer.name, bits)
            total += layer.macs * weight * act
        return total

    def peak_activation_bytes(self, bits: Bits) -> float:
        """Largest sum of the activations that are alive at once, bytes for one image.

        Raises:
            ValueError: If there are no lifetimes (``steps``).
        """
        if not self.steps:
            raise InputError(
                "peak_activation_bytes needs the lifetimes of tensors: give steps, see "
                "qat.allocate.activations.activation_steps"
            )
        return max(self.step_bits(step, bits) for step in self.steps) / 8

    def step_bits(self, step: LiveTensors, bits: Bits) -> int:
        """Bits that are alive in one step.

        Args:
            step: One of :attr:`steps`.
            bits: Slot → chosen width.
        """
        spent = (n * self.width((layer, "act"), bits) for layer, n in step.elements.items())
        return step.fixed_bits + sum(spent)

    def latency_ms(self, bits: Bits) -> float:
        """Sum of the layers' measured times.

        Raises:
            ValueError: If there is no latency table, or it lacks a pair of widths.
        """
        return sum(self.layer_ms(n, *self.widths(n, bits)) for n in self.timed())

    def timed(self) -> list[str]:
        """Names of the layers that are in the latency table.

        Raises:
            ValueError: If there is no latency table.
        """
        if not self.latency:
            raise InputError(
                "latency_ms needs a table of the layers' measured times: give latency, see "
                "qat.allocate.costs.latency_table"
            )
        return [layer.name for layer in self.layers if layer.name in self.latency]

    def layer_ms(self, layer: str, weight_bits: int, act_bits: int) -> float:
        """Measured time of a layer.

        Args:
            layer: Module name.
            weight_bits: Width of its weights.
            act_bits: Width of its input.

        Raises:
            ValueError: If the table lacks that pair of widths.
        """
        assert self.latency is not None
        own = self.latency[layer]
        if (weight_bits, act_bits) not in own:
            there = ", ".join(f"W{w}A{a}" for w, a in own)
            raise InputError(
                f"the latency table has no W{weight_bits}A{act_bits} of layer {layer!r}, only "
                f"{there}: measure it, or leave that width out"
            )
        return own[weight_bits, act_bits]

    def cost(self, name: str, bits: Bits) -> float:
        """A cost by its name.

        Args:
            name: One of :data:`COSTS`.
            bits: Slot → chosen width.

        Raises:
            ValueError: If the figures for that cost are missing.
        """
        return float(getattr(self, name)(bits))


def weight_bytes(weights: int, bits: int) -> int:
    """Bytes of packed codes, rounded up.

    Args:
        weights: Number of weights.
        bits: Width of each.

    Example:
        >>> weight_bytes(3, 3)
        2
    """
    return -(-weights * bits // 8)


def network_costs(
    net: nn.Module,
    plan: Plan,
    example: Tensor,
    latency: Latency | None = None,
    steps: Sequence[LiveTensors] = (),
) -> NetworkCosts:
    """Count the weights and MACs of a network's layers.

    Args:
        net: The float network.
        plan: Widths of the slots that are not chosen.
        example: A batch that the network accepts.
        latency: Measured times of layers; None if latency is no budget.
        steps: Lifetimes of activations; empty if activations are no budget.

    Raises:
        ValueError: If the latency table has a layer that is not in the network, or lacks one of the
            plan.
    """
    layers = tuple(
        LayerFigures(c.name, c.weights, c.macs, c.weight_bits, c.act_bits)
        for c in layer_costs(net, plan, example)
    )
    if latency is not None:
        _check_latency(latency, [layer.name for layer in layers], plan)
    return NetworkCosts(layers, latency, tuple(steps))


def latency_table(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[tuple[int, int], float]]:
    """A latency table from plain rows, as a measurement in a runtime writes them.

    Args:
        rows: Mappings with ``layer``, ``weight_bits``, ``act_bits``, ``latency_ms``.

    Returns:
        Layer → (weight bits, activation bits) → milliseconds.

    Raises:
        ValueError: If a row lacks a field, occurs twice, or its time is not a number from 0 on.

    Example:
        >>> latency_table([{"layer": "fc", "weight_bits": 8, "act_bits": 8, "latency_ms": 0.5}])
        {'fc': {(8, 8): 0.5}}
    """
    table: dict[str, dict[tuple[int, int], float]] = {}
    for row in rows:
        try:
            name, pair = str(row["layer"]), (int(row["weight_bits"]), int(row["act_bits"]))
            ms = float(row["latency_ms"])
        except KeyError as error:
            raise InputError(
                f"a row of the latency table lacks {error}: {dict(row)}; add it, or drop the row"
            ) from error
        where = f"latency of {name} at W{pair[0]}A{pair[1]}"
        if not 0 <= ms < math.inf:
            raise InputError(f"{where} must be a number from 0 on, got {ms} ms: measure it again")
        if pair in table.setdefault(name, {}):
            raise InputError(f"{where} is there twice: leave one row out")
        table[name][pair] = ms
    return table


def _check_latency(latency: Latency, names: Sequence[str], plan: Plan) -> None:
    unknown = [name for name in latency if name not in names]
    missing = [name for name in names if name in plan.layers and name not in latency]
    if unknown or missing:
        raise InputError(
            f"the latency table belongs to another network: unknown {unknown[:5]}, missing "
            f"{missing[:5]}; measure this network's layers"
        )
