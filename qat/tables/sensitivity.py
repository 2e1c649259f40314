"""The sensitivity of each layer at each bit width, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from qat.records.metrics import MetricFormat
from qat.tables.cells import Row, Table
from qat.tables.columns import Column
from qat.tables.errors import TableError
from qat.tables.statistics import statistic


@dataclass(frozen=True, slots=True)
class SensitivityCell:
    """The cost of quantizing one tensor alone.

    Attributes:
        layer: Name of the module.
        slot: ``weight`` or ``act``.
        bits: Width of its codes.
        score: In the unit of the metric; a higher score means a more sensitive tensor.
    """

    layer: str
    slot: str
    bits: int
    score: float


def sensitivity_table(rows: Sequence[SensitivityCell], metric: MetricFormat) -> Table:
    """One row for each layer and slot, one column for each width, from wide to narrow.

    Args:
        rows: Scores in the order of the layers.
        metric: Label, unit and decimals of a score.

    Raises:
        TableError: If there is no score, or a tensor has two scores at one width.

    Example:
        >>> drop = MetricFormat("accuracy drop", "points", 100)
        >>> table = sensitivity_table([SensitivityCell("conv1", "weight", 4, 0.02)], drop)
        >>> [column.header for column in table.columns]
        ['layer', 'slot', '4 bit']
    """
    if not rows:
        raise TableError("no sensitivity to show: compute it first")
    scores: dict[tuple[str, str, int], float] = {}
    for row in rows:
        key = row.layer, row.slot, row.bits
        if key in scores:
            raise TableError(f"layer {row.layer} ({row.slot}) has two scores at {row.bits} bits")
        scores[key] = row.score
    widths = sorted({row.bits for row in rows}, reverse=True)
    heads = [Column("layer", None, "layer"), Column("slot", None, "slot")]
    columns = [Column(f"{metric.label}@{bits}", metric, f"{bits} bit") for bits in widths]
    tensors = dict.fromkeys((row.layer, row.slot) for row in rows)
    body = []
    for layer, slot in tensors:
        of_widths = [scores.get((layer, slot, bits)) for bits in widths]
        cells = [None if score is None else statistic([score]) for score in of_widths]
        body.append(Row((layer, slot, *cells)))
    unit = f" [{metric.unit}]" if metric.unit else ""
    return Table((*heads, *columns), tuple(body), (), (f"cells: {metric.label}{unit}",))
