"""Budgets: the costs that a plan may have at most."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import groupby

from qat.allocate.costs import NetworkCosts
from qat.base.errors import InputError
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

    Example:
        >>> UnmeetableBudgetError("too little", {("fc", "weight"): 2}, {"weight_bytes": 25}).spent
        {'weight_bytes': 25}
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

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> costs = NetworkCosts((LayerFigures("fc", 100, 100, 8, 8),))
        >>> overruns(costs, {("fc", "weight"): 4}, Budgets(weight_bytes=40))  # takes 50 bytes
        {'weight_bytes': 0.25}
        >>> overruns(costs, {("fc", "weight"): 4}, Budgets(weight_bytes=50))
        {}
    """
    shares = {name: costs.cost(name, bits) / limit - 1 for name, limit in budgets.named().items()}
    return {name: share for name, share in shares.items() if share > _ROUNDING}


def unmeetable(costs: NetworkCosts, cheapest: Bits, budgets: Budgets) -> UnmeetableBudgetError:
    """The error that names the nearest plan, and by how much it misses each budget.

    Args:
        costs: Of the network.
        cheapest: The plan that comes nearest to the budgets, slot → width.
        budgets: Limits.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> costs = NetworkCosts((LayerFigures("fc", 100, 100, 8, 8),))
        >>> str(unmeetable(costs, {("fc", "weight"): 2}, Budgets(weight_bytes=20)))[:51]
        'no plan meets the budget: the cheapest, W2 fc, miss'
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


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
