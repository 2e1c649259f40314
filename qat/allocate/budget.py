"""Budgets: the costs that a plan may have at most, and an independent count of a plan's costs."""

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
    """Upper limits of costs, one or more; None is no limit.

    Attributes:
        weight_bytes: Bytes of the codes of all convolution and linear weights.
        average_weight_bits: Mean width over all those weights.
        bops: Bit operations (BOPs) for one image.
        peak_activation_bytes: Largest sum of the activations that are alive at once, for one image.
        latency_ms: Sum of the layers' measured times.

    Raises:
        ValueError: If there is no limit, or one is not a number above 0.

    Example:
        >>> Budgets(average_weight_bits=4).named()
        {'average_weight_bits': 4}
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
        """Name → limit, of the limits that are not None."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: limit for name, limit in values.items() if limit is not None}


class UnmeetableBudgetError(InputError):
    """No plan meets the budgets.

    Attributes:
        bits: The plan whose largest overrun is least.
        spent: Budget → cost of that plan.
    """

    def __init__(self, message: str, bits: Bits, spent: Mapping[str, float]) -> None:
        super().__init__(message)
        self.bits, self.spent = bits, spent


def overruns(costs: NetworkCosts, bits: Bits, budgets: Budgets) -> dict[str, float]:
    """Budget → overrun as a share of the budget; empty if all budgets are met.

    Args:
        costs: Of the network.
        bits: Slot → width; slots that are not named have the width of the plan.
        budgets: Limits.

    Raises:
        ValueError: If the network's costs lack the figures for a budget (times, lifetimes).
    """
    shares = {name: costs.cost(name, bits) / limit - 1 for name, limit in budgets.named().items()}
    return {name: share for name, share in shares.items() if share > _ROUNDING}


def unmeetable(costs: NetworkCosts, cheapest: Bits, budgets: Budgets) -> UnmeetableBudgetError:
    """The error that names the nearest plan, and by how much it misses each budget.

    Args:
        costs: Of the network.
        cheapest: The plan that comes nearest to the budgets, slot → width.
        budgets: Limits.
    """
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
    """A plan in a few words: layers in a row that have equal widths are one entry.

    Example:
        >>> describe({("conv1", "weight"): 4, ("fc1", "weight"): 2, ("fc2", "weight"): 2})
        'W4 conv1, W2 fc1 to fc2'
    """
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
    """Costs of a plan, counted from the network and the plan and not by :class:`NetworkCosts`.

    Args:
        net: The float network.
        plan: With the chosen widths.
        example: A batch that the network accepts.
        latency: Measured times; None leaves ``latency_ms`` out.
        steps: Lifetimes of activations; without them ``peak_activation_bytes`` is left out.

    Returns:
        Name of the cost → value.
    """
    layers = layer_costs(net, plan, example)
    weights = sum(layer.weights for layer in layers)
    spent = {
        "weight_bytes": float(sum(layer.weight_bytes for layer in layers)),
        "average_weight_bits": sum(c.weights * c.weight_bits for c in layers) / weights,
        "bops": float(total_bops(layers)),
    }
    widths = {layer.name: layer for layer in layers}
    if latency is not None:
        pairs = ((n, widths[n].weight_bits, widths[n].act_bits) for n in latency)
        spent["latency_ms"] = sum(latency[name][weight, act] for name, weight, act in pairs)
    alive = [
        step.fixed_bits + sum(n * widths[name].act_bits for name, n in step.elements.items())
        for step in steps
    ]
    return spent | ({"peak_activation_bytes": max(alive) / 8} if alive else {})


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
