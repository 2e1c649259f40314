"""Numbers and cells as text."""

from qat.records.metrics import MetricFormat
from qat.tables.cells import Cell
from qat.tables.columns import Column
from qat.tables.paired import PairedDifference
from qat.tables.published import Published

MISSING = "\N{EN DASH}"
ABOUT = "\N{ALMOST EQUAL TO}"
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def number_text(value: float, metric: MetricFormat) -> str:
    """One value as text, in the unit and with the decimals of its metric.

    Args:
        value: In the unit of the record, such as a fraction for an accuracy.
        metric: Factor to the printed unit, and number of decimals.

    Example:
        >>> number_text(0.8812, MetricFormat("top-1", "%", factor=100))
        '88.12'
    """
    text = f"{value * metric.factor:.{metric.decimals}f}"
    # A loss of -0.001 points is no loss: never "-0.00".
    return text.lstrip("-") if float(text) == 0 else text


def cell_text(cell: Cell, column: Column, counts: bool) -> str:
    """A cell as text: ``mean``, ``mean ± std (n)``, a paired difference, a published number.

    Args:
        cell: Content of the cell.
        column: Its column.
        counts: Append n in parentheses: seeds of a mean, pairs of a difference.

    Example:
        >>> from qat.tables.statistics import Statistic
        >>> top1 = Column("top1", MetricFormat("top-1", "%", factor=100), "top-1 [%]")
        >>> cell_text(Statistic(0.91, 0.001, 3), top1, counts=True)
        '91.00 ± 0.10 (3)'
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
    """A paired difference with its interval; ``≈`` marks one that is not significant.

    Args:
        difference: In the unit of the record.
        metric: Factor to the printed unit, and number of decimals.

    Example:
        >>> points = MetricFormat("top-1", "points", factor=100)
        >>> difference_text(PairedDifference(-0.005, -0.006, -0.004, n=3), points)
        '-0.50 [-0.60, -0.40]'
        >>> difference_text(PairedDifference(0.001, -0.002, 0.004, n=3), points)
        '≈ +0.10 [-0.20, 0.40]'
    """
    mean = number_text(difference.mean, metric)
    signed = mean if mean.startswith("-") or float(mean) == 0 else f"+{mean}"
    ends = [end for end in (difference.low, difference.high) if end is not None]
    interval = f" [{', '.join(number_text(end, metric) for end in ends)}]" if ends else ""
    return ("" if difference.is_significant else f"{ABOUT} ") + signed + interval
