"""Numbers as a reader sees them."""

from qat.records.metrics import Metric
from qat.tables.columns import Column
from qat.tables.statistics import Statistic

MISSING = "\N{EN DASH}"
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def number_text(value: float, metric: Metric) -> str:
    """One value in its shown unit, with its decimals: 0.8812 of a fraction is ``88.12``."""
    text = f"{value * metric.factor:.{metric.decimals}f}"
    # A loss of -0.001 points is no loss: never "-0.00".
    return text.lstrip("-") if float(text) == 0 else text


def cell_text(cell: str | Statistic | None, column: Column, counts: bool) -> str:
    """A table cell: text, ``mean``, or ``mean ± std (n)``.

    Args:
        cell: What the cell holds.
        column: Its column.
        counts: Show (n).
    """
    if cell is None:
        return MISSING
    if isinstance(cell, str) or column.metric is None:
        return str(cell)
    mean = number_text(cell.mean, column.metric)
    spread = "" if cell.std is None else f" {PLUS_MINUS} {number_text(cell.std, column.metric)}"
    return f"{mean}{spread} ({cell.n})" if counts else f"{mean}{spread}"
