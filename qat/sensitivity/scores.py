"""Scores of one metric while they are measured: which are known, and which are still missing."""

from collections.abc import Callable, Iterable, Sequence

from qat.base.errors import InputError
from qat.sensitivity.metrics import Metric
from qat.sensitivity.table import SensitivityRow, SensitivityTable
from qat.sensitivity.widths import Slot

Task = tuple[Slot, int]
"""``(slot, bits)``: one tensor at one width."""


class MetricScores:
    """The scores of one metric for some slots, each at some widths.

    Args:
        metric: The metric.
        slots: Slots of the table, in its order.
        widths: Widths of each slot, in the table's order.
        done: Rows of an earlier measurement; they are not missing.
        keep: Called with each new row as soon as its score is known; None calls nothing.

    Raises:
        ValueError: If the metric scores no slot of these kinds.

    Example:
        >>> from qat.sensitivity.metrics import OUTPUT_KL
        >>> scores = MetricScores(OUTPUT_KL, [("conv1", "weight")], [2, 4])
        >>> scores.add(("conv1", "weight"), 2, 0.25)
        >>> scores.missing()
        [(('conv1', 'weight'), 4)]
    """

    def __init__(
        self,
        metric: Metric,
        slots: Sequence[Slot],
        widths: Sequence[int],
        done: Iterable[SensitivityRow] = (),
        keep: Callable[[SensitivityRow], None] | None = None,
    ) -> None:
        self.metric = metric
        self._slots, self._widths, self._keep = slots, widths, keep
        self._scores = {(row.layer, row.slot, row.bits): row.score for row in done}
        if not any(slot[1] in metric.slots for slot in slots):
            raise InputError(
                f"metric {metric.name} scores only {', '.join(metric.slots)}, which is not among "
                "the slots: add that slot, or take another metric"
            )

    def missing(self) -> list[Task]:
        """Tasks without a score, of the kinds of slots that the metric can score."""
        return [
            (slot, bits)
            for slot in self._slots
            for bits in self._widths
            if slot[1] in self.metric.slots and (*slot, bits) not in self._scores
        ]

    def add(self, slot: Slot, bits: int, score: float) -> None:
        """Add a score, and pass its row to ``keep``.

        Args:
            slot: ``(layer, weight | act)``.
            bits: Width.
            score: In the unit of the metric.

        Raises:
            ValueError: If the score is NaN.
        """
        row = SensitivityRow(*slot, bits, score)
        self._scores[*slot, bits] = score
        if self._keep:
            self._keep(row)

    def table(self, digest: str) -> SensitivityTable:
        """The table of all scores that are known; ``digest`` as of :class:`SensitivityTable`."""
        rows = (
            SensitivityRow(*slot, bits, self._scores[*slot, bits])
            for slot in self._slots
            for bits in self._widths
            if (*slot, bits) in self._scores
        )
        metric = self.metric
        return SensitivityTable(
            metric.name, metric.unit, metric.higher_is_worse, digest, tuple(rows)
        )
