"""What a plan may cost, and an independent count of what it does."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby

from torch import Tensor, nn

from qat.allocate.costs import Latency, LiveTensors, NetworkCosts
from qat.base.errors import InputError
from qat.core.plan import Plan
from qat.cost.macs import layer_costs, total_bops
from qat.sensitivity.widths import Bits

_ROUNDING = 1e-12  # of sums of floats (latencies, averages); counts are whole numbers


@dataclass(frozen=True)
class Budgets:
    """Upper limits, alone or together; None is no limit.

    Attributes:
        weight_bytes: Of all conv and linear weights, codes only.
        average_weight_bits: Mean width over all those weights.
        bops: Bit operations for one image.
        peak_activation_bytes: For one image.
        latency_ms: By the measured table.

    Raises:
        ValueError: If none is given, or one is not a number above 0.
    """

    weight_bytes: float | None = None
    average_weight_bits: float | None = None
    bops: float | None = None
    peak_activation_bytes: float | None = None
    latency_ms: float | None = None

    def __post_init__(self) -> None:
        """Check each limit."""
        names = ", ".join(f.name for f in fields(self))
        if not self.named():
            raise InputError(f"there is no budget: give one or more of {names}")
        for name, limit in self.named().items():
            if not (math.isfinite(limit) and limit > 0):
                raise InputError(f"budget {name} must be a number above 0, got {limit}")

    def named(self) -> dict[str, float]:
        """The limits that are there."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: limit for name, limit in values.items() if limit is not None}


class UnmeetableBudgetError(InputError):
    """No plan meets the budgets.

    Attributes:
        bits: The plan that comes nearest.
        spent: What it costs, by budget.
    """

    def __init__(self, message: str, bits: Bits, spent: Mapping[str, float]) -> None:
        super().__init__(message)
        self.bits, self.spent = bits, spent


def overruns(costs: NetworkCosts, bits: Bits, budgets: Budgets) -> dict[str, float]:
    """Budget → by how much it is overrun, as a share of it; empty if all are met."""
    found = {}
    for name, limit in budgets.named().items():
        share = costs.cost(name, bits) / limit - 1
        if share > _ROUNDING:
            found[name] = share
    return found


def unmeetable(costs: NetworkCosts, cheapest: Bits, budgets: Budgets) -> UnmeetableBudgetError:
    """The error that names the nearest plan and what it lacks."""
    spent = {name: costs.cost(name, cheapest) for name in budgets.named()}
    lacks = [
        f"{name}={_number(limit)} by {_number(spent[name] - limit)} "
        f"({spent[name] / limit - 1:.2%}, it takes {_number(spent[name])})"
        for name, limit in budgets.named().items()
        if spent[name] > limit
    ]
    return UnmeetableBudgetError(
        f"no plan meets the budget: the cheapest, {describe(cheapest)}, misses {', '.join(lacks)}; "
        "allow more, or narrower widths",
        cheapest,
        spent,
    )


def describe(bits: Bits) -> str:
    """A plan in a few words: ``W4A4 conv1, W2A2 layer1.0.conv1 to fc``."""
    words: dict[str, str] = {}
    for letter, kind in (("W", "weight"), ("A", "act")):
        for (layer, slot), width in bits.items():
            if slot == kind:
                words[layer] = f"{words.get(layer, '')}{letter}{width}"
    runs = []
    for word, group in groupby(words, key=words.__getitem__):
        names = list(group)
        runs.append(f"{word} {names[0]}" + (f" to {names[-1]}" if len(names) > 1 else ""))
    return ", ".join(runs)


def spent_by(
    net: nn.Module,
    plan: Plan,
    example: Tensor,
    latency: Latency | None = None,
    steps: Sequence[LiveTensors] = (),
) -> dict[str, float]:
    """What a plan costs, counted from the network and the plan themselves.

    Nothing of this goes through the tables that allocators use.

    Args:
        net: The float network.
        plan: With the chosen widths.
        example: A batch it accepts.
        latency: Measured times, if they count.
        steps: Lifetimes of activations, if they count.
    """
    layers = layer_costs(net, plan, example)
    weights = sum(layer.weights for layer in layers)
    found = {
        "weight_bytes": float(sum(layer.weight_bytes for layer in layers)),
        "average_weight_bits": sum(c.weights * c.weight_bits for c in layers) / weights,
        "bops": float(total_bops(layers)),
    }
    widths = {layer.name: layer for layer in layers}
    if latency is not None:
        pairs = ((n, widths[n].weight_bits, widths[n].act_bits) for n in latency)
        found["latency_ms"] = sum(latency[name][weight, act] for name, weight, act in pairs)
    alive = [
        step.fixed_bits + sum(n * widths[name].act_bits for name, n in step.elements.items())
        for step in steps
    ]
    return found | ({"peak_activation_bytes": max(alive) / 8} if alive else {})


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
