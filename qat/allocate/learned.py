"""Learned widths within budgets: the price of a network with choices, and the plan it ends in."""

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from qat.allocate.budget import Budgets
from qat.allocate.choice import choice_harms, expected_bops, expected_weight_bytes
from qat.allocate.costs import NetworkCosts
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import Problem
from qat.base.errors import InputError
from qat.sensitivity.table import SensitivityRow, SensitivityTable
from qat.sensitivity.widths import Slot

METRIC = "learned"


def overrun_price(qnet: nn.Module, costs: NetworkCosts, budgets: Budgets) -> Callable[[], Tensor]:
    """By how much the expected network overruns its budgets: ``sum_b max(E[b] / limit_b - 1, 0)``.

    Args:
        qnet: With choices, see :func:`qat.allocate.choice.choose_widths`.
        costs: Of the network.
        budgets: ``weight_bytes``, ``average_weight_bits``, ``bops``.

    Raises:
        ValueError: If a budget has no expectation with a gradient.
    """
    limits = budgets.named()
    unknown = [name for name in limits if name not in _EXPECTED]
    if unknown:
        raise InputError(
            f"learned widths can be priced by {', '.join(_EXPECTED)}, got {', '.join(unknown)}: "
            "allocate by ilp, greedy or evolve under that budget"
        )

    def price() -> Tensor:
        shares = [_EXPECTED[name](qnet, costs) / limit for name, limit in limits.items()]
        return torch.stack([torch.relu(share - 1) for share in shares]).sum()

    return price


def choice_table(qnet: nn.Module, digest: str) -> SensitivityTable:
    """What was learned, as a table: the score of a width is the least ``-log p`` up to it, nats.

    The price alone speaks against a width beyond the one that was learned, so it counts as no
    worse. An allocator that adds the scores up finds the most probable plan within the budgets,
    and may spend what they leave.

    Args:
        qnet: Trained.
        digest: Of what it was learned from.
    """
    rows = (
        SensitivityRow(*slot, bits, score)
        for slot, scores in choice_harms(qnet).items()
        for bits, score in zip(scores, accumulate(scores.values(), min), strict=True)
    )
    return SensitivityTable(METRIC, "nats", True, digest, tuple(rows))


def most_probable(problem: Problem, budgets: Budgets, **training: Any) -> dict[Slot, int]:
    """The most probable plan within the budgets; its harms are those of :func:`choice_table`.

    Args:
        problem: With the learned harms, ``-log p`` of each width: they add up, so that the integer
            programme finds the most probable plan.
        budgets: Limits.
        training: Options of the training that learned them; not used here.
    """
    return solve_ilp(problem, budgets)


def _expected_average(qnet: nn.Module, costs: NetworkCosts) -> Tensor:
    return 8 * expected_weight_bytes(qnet, costs) / sum(layer.weights for layer in costs.layers)


_EXPECTED = {
    "weight_bytes": expected_weight_bytes,
    "average_weight_bits": _expected_average,
    "bops": expected_bops,
}
