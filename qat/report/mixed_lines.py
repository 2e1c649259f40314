"""What a run's choice of widths came to, in lines for a reader. Loads no torch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from qat.records.metrics import Metric
from qat.tables.cells import Table
from qat.tables.sensitivity import SensitivityRow, sensitivity_table

DECIMALS = 5


def allocation_lines(told: Mapping[str, Any]) -> list[str]:
    """What a run's ``allocation.json`` says, for a reader."""
    lines = [
        f"widths by {told['allocator']} from {told['metric']}: {_widths(told['slots'])}; "
        f"predicted harm {_with_unit(told['predicted_harm'], told['unit'])}"
    ]
    if told["budgets"]:
        lines.append("budgets: " + ", ".join(map(_budget, told["budgets"])))
    if told["check"] is not None:
        lines.append(_check(told["check"]))
    return lines


def sensitivities(told: Mapping[str, Any]) -> Table:
    """A run's ``sensitivity.json`` as layer x bits.

    What lost nothing at all (an infinite SQNR) has no number.
    """
    rows = [SensitivityRow(**row) for row in told["rows"] if not isinstance(row["score"], str)]
    metric = Metric(told["metric"], told["unit"], decimals=DECIMALS)
    return sensitivity_table(rows, metric)


def _widths(slots: Sequence[Mapping[str, Any]]) -> str:
    """``weight 8 bits 2x, 4 bits 17x; act ...``."""
    words = []
    for kind, name in (("weight", "weights"), ("act", "inputs")):
        found = Counter(slot["bits"] for slot in slots if slot["slot"] == kind)
        if found:
            counts = ", ".join(f"{n} of {bits}" for bits, n in sorted(found.items(), reverse=True))
            words.append(f"{name} {counts} bit")
    return "; ".join(words)


def _budget(budget: Mapping[str, Any]) -> str:
    share = budget["spent"] / budget["limit"]
    return f"{budget['name']} {budget['spent']:,.6g} of {budget['limit']:,.6g} ({share:.1%})"


def _check(check: Mapping[str, Any]) -> str:
    best = max(plan["top1"] for plan in check["plans"])
    words = f"{len(check['plans'])} random plans: the best of them {100 * best:.2f} %"
    if (held := check["agreement"]) is None:
        return f"{words}; too few for a correlation"
    rho, tau = _estimate(held["spearman"]), _estimate(held["kendall"])
    return f"{words}; of prediction and drop Spearman {rho}, Kendall {tau}"


def _estimate(found: Mapping[str, float]) -> str:
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()
