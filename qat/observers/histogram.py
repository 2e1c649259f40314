"""A histogram of everything seen, exact in its counts, from which ranges are taken.

When a batch falls outside it, the histogram doubles its width as often as needed and old bins
merge in pairs: no count is ever moved to a bin that does not contain it. So between half of the
bins and all of them stay in use, and a value's place is known to one bin width.

A batch small enough (a weight's channel) is kept as it is instead, while it is the only one that
has been seen: its ranges are then exact. Tensors that share a scale are one batch.

Over several ranks the histogram opens and grows by the extremes of the whole batch and the ranks'
counts are added, so it is the histogram that one process would have made, bin for bin.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.processes import joined, total
from qat.observers.base import Observer, batch_extremes, finite_extremes

HISTOGRAM = "histogram"
"""The kind of statistics that all observers of this module share."""
BINS = 2048
EXACT_LIMIT = 8192  # values of one slice that are kept instead of counted


class HistogramObserver(Observer):
    """Counts of values in equal bins, one histogram a slice.

    The buffers live only while a network is calibrated and are no part of a checkpoint.

    Args:
        slices: Number of scales.
    """

    def __init__(self, slices: int) -> None:
        super().__init__(slices)
        self._values: Tensor | None = None  # (slices, n): the first batch, while it is small
        self._first = True  # nothing but tensors of the first batch has been seen
        self._counts: Tensor | None = None  # (slices, bins) int64
        self._start = torch.empty(0)  # (slices, 1): left edge of the first bin, float64
        self._width = torch.empty(0)  # (slices, 1): of the whole histogram, float64

    @property
    def seen(self) -> bool:
        """True once any value was observed."""
        return self._values is not None or self._counts is not None

    def reset(self) -> None:
        """Forget everything."""
        self._values, self._counts, self._first = None, None, True

    def close(self) -> int:
        """See the base."""
        calls = super().close()
        self._first = self._first and not self.seen
        return calls

    def collect(self, x: Tensor) -> None:
        """Count these values, or keep them if they are few and of the first batch."""
        extremes = batch_extremes(x)
        if self._keeps(x):
            kept = [] if self._values is None else [self._values]
            self._values = torch.cat([*kept, joined(x)], dim=1)
            return
        if self._values is not None:
            first, self._values = self._values, None
            self._add(self._counted(first, finite_extremes(first)))
        self._add(total(self._counted(x, extremes)))

    def statistics(self) -> dict[str, Tensor]:
        """The kept values, or counts with start and width; nothing before any was seen."""
        if self._values is not None:
            return {"values": self._values.clone()}
        if self._counts is None:
            return {}
        return {
            "counts": self._counts.clone(),
            "start": self._start.clone(),
            "width": self._width.clone(),
        }

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """See the base."""
        self.reset()
        self._values, self._first = statistics.get("values"), False
        if "counts" in statistics:
            self._counts = statistics["counts"]
            self._start, self._width = statistics["start"], statistics["width"]

    def weighted_values(self) -> tuple[Tensor, Tensor]:
        """``(values, weights)``, both ``(slices, n)`` float64, values ascending in each row.

        The values are bin centres, unless the very values were kept.
        """
        if self._values is not None:
            values = self._values.double().sort(dim=1).values
            return values, torch.ones_like(values)
        if self._counts is None:
            raise InputError("nothing was observed: run calibration batches first")
        bin_width = self._width / BINS
        centres = torch.arange(BINS, device=self._counts.device, dtype=torch.float64) + 0.5
        return self._start + centres * bin_width, self._counts.double()

    def _keeps(self, x: Tensor) -> bool:
        if self._counts is not None or not self._first:
            return False
        kept = 0 if self._values is None else self._values.shape[1]
        return kept + self._elements(x) <= EXACT_LIMIT

    def _elements(self, x: Tensor) -> int:
        """Of one slice, over all ranks."""
        return int(total(torch.tensor(x.shape[1], device=x.device)))

    def _add(self, counts: Tensor) -> None:
        self._counts = self._counts_or_fail() + counts

    def _counted(self, x: Tensor, extremes: tuple[Tensor, Tensor]) -> Tensor:
        """Counts of these values alone, once the histogram is wide enough for the extremes."""
        low, high = (e.double().unsqueeze(1) for e in extremes)
        if self._counts is None:
            self._open(low, high)
        self._grow(low, high)
        index = ((x.double() - self._start) * (BINS / self._width)).floor().long()
        index = index.clamp_(0, BINS - 1) + BINS * torch.arange(
            self.slices, device=x.device
        ).unsqueeze(1)
        counts = torch.bincount(index.reshape(-1), minlength=self.slices * BINS)
        return counts.reshape(self.slices, BINS)

    def _open(self, low: Tensor, high: Tensor) -> None:
        width = high - low
        # A constant slice has no width of its own: any will do that is not lost beside its value.
        constant = torch.maximum(high.abs() * 1e-3, torch.full_like(high, 1e-12))
        self._start = low
        self._width = torch.where(width > 0, width * (1 + 1e-9), constant)
        self._counts = torch.zeros(self.slices, BINS, dtype=torch.int64, device=low.device)

    def _grow(self, low: Tensor, high: Tensor) -> None:
        while True:
            below = low < self._start
            above = ~below & (high > self._start + self._width)
            if not bool((below | above).any()):
                return
            counts = self._counts_or_fail()
            pairs = counts.reshape(self.slices, BINS // 2, 2).sum(dim=2)
            none = torch.zeros_like(pairs)
            downward, upward = torch.cat([none, pairs], dim=1), torch.cat([pairs, none], dim=1)
            self._counts = torch.where(below, downward, torch.where(above, upward, counts))
            self._start = torch.where(below, self._start - self._width, self._start)
            self._width = torch.where(below | above, self._width * 2, self._width)

    def _counts_or_fail(self) -> Tensor:
        assert self._counts is not None
        return self._counts
