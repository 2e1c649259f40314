"""Lines about the bit widths that a run chose. Loads no torch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from math import isfinite

from qat.records.metrics import MetricFormat
from qat.records.run_facts import target_word
from qat.records.side_files.allocation import (
    AllocationFile,
    AllocationRound,
    BudgetUse,
    CorrelationInterval,
    PredictionCheck,
    SlotWidth,
)
from qat.records.side_files.sensitivity import SensitivityFile
from qat.tables.cells import Table
from qat.tables.sensitivity import SensitivityCell, sensitivity_table

DECIMALS = 5


def allocation_lines(allocation: AllocationFile) -> list[str]:
    """The content of a run's ``allocation.json``, as lines."""
    lines = [
        f"widths by {target_word(allocation.allocator)} from {allocation.metric}: "
        f"{_widths(allocation.slots)}; predicted harm "
        f"{_with_unit(allocation.predicted_harm, allocation.unit)}"
    ]
    if allocation.budgets:
        lines.append("budgets: " + ", ".join(map(_budget, allocation.budgets)))
    if allocation.rounds:
        lines.append(_rounds(allocation.rounds, allocation.unit))
    if allocation.check is not None:
        lines.append(_check(allocation.check))
    return lines


def sensitivities(sensitivity: SensitivityFile) -> Table | None:
    """A run's ``sensitivity.json`` as a table of layer × bits; None if no score is finite.

    A tensor that lost nothing (infinite SQNR, signal-to-quantization-noise ratio) has no number.
    """
    rows = [SensitivityCell(**asdict(row)) for row in sensitivity.rows if isfinite(row.score)]
    metric = MetricFormat(sensitivity.metric, sensitivity.unit, decimals=DECIMALS)
    return sensitivity_table(rows, metric) if rows else None


def _widths(slots: Sequence[SlotWidth]) -> str:
    """``weights: 2 at 8 bits, 17 at 4 bits; inputs: ...``."""
    parts = []
    for kind, name in (("weight", "weights"), ("act", "inputs")):
        slots_by_bits = Counter(slot.bits for slot in slots if slot.slot == kind)
        if slots_by_bits:
            counts = ", ".join(
                f"{n} at {bits} bits" for bits, n in sorted(slots_by_bits.items(), reverse=True)
            )
            parts.append(f"{name}: {counts}")
    return "; ".join(parts)


def _budget(budget: BudgetUse) -> str:
    share = budget.spent / budget.limit
    return f"{budget.name} {budget.spent:,.6g} of {budget.limit:,.6g} ({share:.1%})"


def _rounds(rounds: Sequence[AllocationRound], unit: str) -> str:
    """Plans and best harm of each round of measuring around the best plan."""
    first = rounds[0]
    parts = [f"{len(first.plans)} to begin with, best harm {_with_unit(first.harm, unit)}"]
    for number, (before, own) in enumerate(pairwise(rounds), start=1):
        stays = own.harm >= before.harm
        result = "the plan stays" if stays else f"best harm {_with_unit(own.harm, unit)}"
        parts.append(f"round {number}: {len(own.plans)} more, {result}")
    return f"measured whole plans: {'; '.join(parts)}"


def _check(check: PredictionCheck) -> str:
    best = max(plan.top1 for plan in check.plans)
    text = f"{len(check.plans)} random plans: the best has top-1 {100 * best:.2f} %"
    if (agreement := check.agreement) is None:
        return f"{text}; too few plans for a correlation"
    rho, tau = _estimate(agreement.spearman), _estimate(agreement.kendall)
    return f"{text}; correlation of prediction and drop: Spearman {rho}, Kendall {tau}"


def _estimate(estimate: CorrelationInterval) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()
