"""What each layer costs at each width.

Weight bytes are those of the codes, ``ceil(weights * bits / 8)``; BOPs = MACs x weight bits x
activation bits (see :mod:`qat.cost.macs`); activation bytes are of one image. All conv and linear
layers count, those that stay float with 32 bits. A latency is what a runtime was measured to take
for a layer at ``(weight bits, activation bits)``; the network's is their sum.
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
    """One layer.

    Attributes:
        name: Module name.
        weights: Number of weights.
        macs: For one image.
        weight_bits: Width where no other is chosen.
        act_bits: The same of the input.
    """

    name: str
    weights: int
    macs: int
    weight_bits: int
    act_bits: int


@dataclass(frozen=True)
class LiveTensors:
    """What is alive while one operation runs.

    Attributes:
        name: Of the operation.
        fixed_bits: Bits of tensors whose width no layer decides, for one image.
        elements: Layer → elements, for one image, that have the width of its input.
    """

    name: str
    fixed_bits: int
    elements: Mapping[str, int]


@dataclass(frozen=True)
class NetworkCosts:
    """Costs of a network as functions of its widths.

    Attributes:
        layers: In order of first call.
        latency: Measured, if there is a table.
        steps: What is alive when, if activations count (see :mod:`qat.allocate.activations`).
    """

    layers: tuple[LayerFigures, ...]
    latency: Latency | None = None
    steps: tuple[LiveTensors, ...] = ()
    _by_name: dict[str, LayerFigures] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the layers."""
        object.__setattr__(self, "_by_name", {layer.name: layer for layer in self.layers})

    def width(self, slot: Slot, bits: Bits) -> int:
        """Width of a slot: the chosen one, or that of the plan it started from."""
        if slot in bits:
            return bits[slot]
        layer = self._by_name[slot[0]]
        return layer.weight_bits if slot[1] == "weight" else layer.act_bits

    def widths(self, layer: str, bits: Bits) -> tuple[int, int]:
        """Weight and activation bits of a layer."""
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
        found = 0
        for layer in self.layers:
            weight, act = self.widths(layer.name, bits)
            found += layer.macs * weight * act
        return found

    def peak_activation_bytes(self, bits: Bits) -> float:
        """Bytes of the tensors that are alive at once, at worst, for one image."""
        if not self.steps:
            raise InputError(
                "peak_activation_bytes needs the lifetimes of tensors: give the steps of the graph"
            )
        return max(self.step_bits(step, bits) for step in self.steps) / 8

    def step_bits(self, step: LiveTensors, bits: Bits) -> int:
        """Bits alive in one step."""
        spent = (n * self.width((layer, "act"), bits) for layer, n in step.elements.items())
        return step.fixed_bits + sum(spent)

    def latency_ms(self, bits: Bits) -> float:
        """Sum of the layers' measured times."""
        return sum(self.layer_ms(n, *self.widths(n, bits)) for n in self.timed())

    def timed(self) -> list[str]:
        """Names of the layers that the latency table has."""
        if not self.latency:
            raise InputError("latency_ms needs a measured table: give one, layer by layer")
        return [layer.name for layer in self.layers if layer.name in self.latency]

    def layer_ms(self, layer: str, weight_bits: int, act_bits: int) -> float:
        """Measured time of a layer.

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
        """A cost by its name, one of :data:`COSTS`."""
        return float(getattr(self, name)(bits))


def weight_bytes(weights: int, bits: int) -> int:
    """Bytes of codes, packed."""
    return -(-weights * bits // 8)


def network_costs(
    net: nn.Module,
    plan: Plan,
    example: Tensor,
    latency: Latency | None = None,
    steps: Sequence[LiveTensors] = (),
) -> NetworkCosts:
    """Count a network's layers.

    Args:
        net: The float network.
        plan: Widths of the slots that nobody chooses.
        example: A batch it accepts.
        latency: Measured times.
        steps: Lifetimes of activations.

    Raises:
        ValueError: If the latency table names a layer that is not there, or lacks one of the plan.
    """
    layers = tuple(
        LayerFigures(c.name, c.weights, c.macs, c.weight_bits, c.act_bits)
        for c in layer_costs(net, plan, example)
    )
    if latency is not None:
        _check_latency(latency, [layer.name for layer in layers], plan)
    return NetworkCosts(layers, latency, tuple(steps))


def latency_table(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[tuple[int, int], float]]:
    """A latency table from plain rows, as a runtime's measurement writes them.

    Args:
        rows: With ``layer``, ``weight_bits``, ``act_bits``, ``latency_ms``.

    Raises:
        ValueError: If a row lacks a field, is there twice, or its time is no number from 0 on.
    """
    found: dict[str, dict[tuple[int, int], float]] = {}
    for row in rows:
        try:
            name, pair = str(row["layer"]), (int(row["weight_bits"]), int(row["act_bits"]))
            ms = float(row["latency_ms"])
        except KeyError as error:
            raise InputError(f"a row of the latency table lacks {error}: {dict(row)}") from error
        where = f"latency of {name} at W{pair[0]}A{pair[1]}"
        if not 0 <= ms < math.inf:
            raise InputError(f"{where} must be a number from 0 on, got {ms} ms: measure it again")
        if pair in found.setdefault(name, {}):
            raise InputError(f"{where} is there twice: leave one row out")
        found[name][pair] = ms
    return found


def _check_latency(latency: Latency, names: Sequence[str], plan: Plan) -> None:
    unknown = [name for name in latency if name not in names]
    missing = [name for name in names if name in plan.layers and name not in latency]
    if unknown or missing:
        raise InputError(
            f"the latency table is of another network: unknown {unknown[:5]}, missing {missing[:5]}"
        )
