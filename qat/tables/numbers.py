"""Numbers as a reader sees them."""

from qat.records.metrics import MetricFormat
from qat.tables.cells import Cell
from qat.tables.columns import Column
from qat.tables.paired import PairedDifference
from qat.tables.published import Published

MISSING = "\N{EN DASH}"
ABOUT = "\N{ALMOST EQUAL TO}"
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def number_text(value: float, metric: MetricFormat) -> str:
    """One value in its shown unit, with its decimals: 0.8812 of a fraction is ``88.12``."""
    text = f"{value * metric.factor:.{metric.decimals}f}"
    # A loss of -0.001 points is no loss: never "-0.00".
    return text.lstrip("-") if float(text) == 0 else text


def cell_text(cell: Cell, column: Column, counts: bool) -> str:
    """A table cell: text, ``mean``, ``mean ± std (n)``, a paired difference, a published number.

    Args:
        cell: What the cell holds.
        column: Its column.
        counts: Show (n): seeds of a mean, pairs of a difference.
    """
    if cell is None:
        return MISSING
    if isinstance(cell, str) or column.metric is None:
        return str(cell)
    if isinstance(cell, PairedDifference):
        text = difference_text(cell, column.metric)
        return f"{text} ({cell.n})" if counts else text
    if isinstance(cell, Published):
        return number_text(cell.value, column.metric)
    mean = number_text(cell.mean, column.metric)
    spread = "" if cell.std is None else f" {PLUS_MINUS} {number_text(cell.std, column.metric)}"
    return f"{mean}{spread} ({cell.n})" if counts else f"{mean}{spread}"


def difference_text(difference: PairedDifference, metric: MetricFormat) -> str:
    """``-0.50 [-0.60, -0.40]``, or ``≈ -0.05 [...]`` where it is not told apart from 0."""
    mean = number_text(difference.mean, metric)
    signed = mean if mean.startswith("-") or float(mean) == 0 else f"+{mean}"
    ends = [end for end in (difference.low, difference.high) if end is not None]
    interval = f" [{', '.join(number_text(end, metric) for end in ends)}]" if ends else ""
    return ("" if difference.told_apart else f"{ABOUT} ") + signed + interval
