"""What a run's choice of widths came to, in lines for a reader. Loads no torch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite

from qat.records.metrics import MetricFormat
from qat.records.side_files.allocation import (
    AllocationFile,
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
    """What a run's ``allocation.json`` says, for a reader."""
    lines = [
        f"widths by {allocation.allocator} from {allocation.metric}: "
        f"{_widths(allocation.slots)}; predicted harm "
        f"{_with_unit(allocation.predicted_harm, allocation.unit)}"
    ]
    if allocation.budgets:
        lines.append("budgets: " + ", ".join(map(_budget, allocation.budgets)))
    if allocation.check is not None:
        lines.append(_check(allocation.check))
    return lines


def sensitivities(sensitivity: SensitivityFile) -> Table | None:
    """A run's ``sensitivity.json`` as layer x bits; None if it has no finite score.

    What lost nothing at all (an infinite SQNR) has no number.
    """
    rows = [SensitivityCell(**asdict(row)) for row in sensitivity.rows if isfinite(row.score)]
    metric = MetricFormat(sensitivity.metric, sensitivity.unit, decimals=DECIMALS)
    return sensitivity_table(rows, metric) if rows else None


def _widths(slots: Sequence[SlotWidth]) -> str:
    """``weight 8 bits 2x, 4 bits 17x; act ...``."""
    words = []
    for kind, name in (("weight", "weights"), ("act", "inputs")):
        slots_by_bits = Counter(slot.bits for slot in slots if slot.slot == kind)
        if slots_by_bits:
            counts = ", ".join(
                f"{n} of {bits}" for bits, n in sorted(slots_by_bits.items(), reverse=True)
            )
            words.append(f"{name} {counts} bit")
    return "; ".join(words)


def _budget(budget: BudgetUse) -> str:
    share = budget.spent / budget.limit
    return f"{budget.name} {budget.spent:,.6g} of {budget.limit:,.6g} ({share:.1%})"


def _check(check: PredictionCheck) -> str:
    best = max(plan.top1 for plan in check.plans)
    words = f"{len(check.plans)} random plans: the best of them {100 * best:.2f} %"
    if (held := check.agreement) is None:
        return f"{words}; too few for a correlation"
    rho, tau = _estimate(held.spearman), _estimate(held.kendall)
    return f"{words}; of prediction and drop Spearman {rho}, Kendall {tau}"


def _estimate(estimate: CorrelationInterval) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()
