"""Learned widths within budgets: price of a network with choices, and its most probable plan.

Cites: wu2018dnas, cai2020edmips.
"""

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
    """The overrun of the expected costs: ``sum_b max(E[b] / limit_b - 1, 0)`` over budgets ``b``.

    Args:
        qnet: With choices, see :func:`qat.allocate.choice.choose_widths`.
        costs: Of the network.
        budgets: ``weight_bytes``, ``average_weight_bits``, ``bops``.

    Returns:
        A function that computes the price from the present logits, a scalar with a gradient.

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
    """The learned widths as a table: the score of a width is the least ``-log p`` up to it, nats.

    A width above the learned one is improbable only because of its price, so its score is no worse
    than that of the learned one. An allocator that adds the scores up finds the most probable plan
    within the budgets, and can then spend what is left of them.

    Args:
        qnet: With trained choices.
        digest: Of network, data and methods that they were trained with.
    """
    rows = (
        SensitivityRow(*slot, bits, score)
        for slot, scores in choice_harms(qnet).items()
        for bits, score in zip(scores, accumulate(scores.values(), min), strict=True)
    )
    return SensitivityTable(METRIC, "nats", True, digest, tuple(rows))


def most_probable(problem: Problem, budgets: Budgets, **training: Any) -> dict[Slot, int]:
    """The most probable plan within the budgets.

    Args:
        problem: With the harms of :func:`choice_table`, ``-log p`` of each width: the least sum of
            them is the most probable plan.
        budgets: Limits.
        training: Options of the training that learned them; not used here.

    Raises:
        UnmeetableBudgetError: If there is no plan within them.
    """
    return solve_ilp(problem, budgets)


def _expected_average(qnet: nn.Module, costs: NetworkCosts) -> Tensor:
    return 8 * expected_weight_bytes(qnet, costs) / sum(layer.weights for layer in costs.layers)


_EXPECTED = {
    "weight_bytes": expected_weight_bytes,
    "average_weight_bits": _expected_average,
    "bops": expected_bops,
}
