"""Layer x bits: the sensitivity of each layer, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from qat.records.metrics import MetricFormat
from qat.tables.cells import Row, Table
from qat.tables.columns import Column
from qat.tables.errors import TableError
from qat.tables.statistics import statistic


@dataclass(frozen=True, slots=True)
class SensitivityCell:
    """What quantizing one tensor alone costs.

    Attributes:
        layer: Module name.
        slot: ``weight`` or ``act``.
        bits: Width tried.
        score: In the unit of the metric; higher is more sensitive.
    """

    layer: str
    slot: str
    bits: int
    score: float


def sensitivity_table(rows: Sequence[SensitivityCell], metric: MetricFormat) -> Table:
    """A row a layer and slot, a column a width, wide to narrow.

    Args:
        rows: In the order of the layers.
        metric: How a score is shown.

    Raises:
        TableError: If there is no row, or a tensor has two scores at one width.
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
        found = [scores.get((layer, slot, bits)) for bits in widths]
        cells = [None if score is None else statistic([score]) for score in found]
        body.append(Row((layer, slot, *cells)))
    unit = f" [{metric.unit}]" if metric.unit else ""
    return Table((*heads, *columns), tuple(body), (), (f"cells: {metric.label}{unit}",))
