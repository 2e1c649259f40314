"""A histogram of all observed values, with exact counts, from which ranges are computed.

If a batch lies outside the histogram, its width is doubled as often as necessary, and old bins are
merged in pairs: every count stays in a bin that contains its value. So at least half of the bins
are in use, and each value is known to the width of one bin.

A small first batch (one channel of a weight) is kept as values until a second batch comes, so that
its ranges are exact. Tensors that share a scale are one batch.

With several ranks, the histogram begins and grows by the extremes of the whole batch, and counts
are added over ranks. It equals the histogram of one process, bin for bin.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.processes import joined, number_in_all, total
from qat.observers.base import finite_extremes
from qat.observers.pieces import pieces

BINS = 2048
EXACT_LIMIT = 8192  # largest number of values in a slice that are kept instead of counted


class Histogram:
    """Counts of values in bins of equal width, one histogram for each slice.

    Args:
        slices: Number of scales.
    """

    def __init__(self, slices: int) -> None:
        self.slices = slices
        self._values: Tensor | None = None  # (slices, n): the first batch, if it is small
        self._first = True  # only tensors of the first batch were observed
        self._counts: Tensor | None = None  # (slices, bins) int64
        self._start = torch.empty(0)  # (slices, 1): left edge of the first bin, float64
        self._width = torch.empty(0)  # (slices, 1): of the whole histogram, float64

    @property
    def seen(self) -> bool:
        """True after any value was added."""
        return self._values is not None or self._counts is not None

    def close_batch(self) -> None:
        """End the current batch: tensors that are added later belong to another one."""
        self._first = self._first and not self.seen

    def add(self, x: Tensor, extremes: tuple[Tensor, Tensor]) -> None:
        """Count the values, or keep them if they are few and belong to the first batch.

        Args:
            x: ``(slices, elements)`` of this rank.
            extremes: Smallest and largest value of each slice, over all ranks.
        """
        if self._keeps(x):
            earlier = [] if self._values is None else [self._values]
            self._values = torch.cat([*earlier, joined(x)], dim=1)
            return
        if self._values is not None:
            first, self._values = self._values, None
            self._add(self._counted(first, finite_extremes(first)))
        self._add(total(self._counted(x, extremes)))

    def statistics(self) -> dict[str, Tensor]:
        """The kept values, or counts with start and width; empty before any observation."""
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
        """Replace the counts or values by those of another histogram."""
        self._values, self._counts, self._first = statistics.get("values"), None, False
        if "counts" in statistics:
            self._counts = statistics["counts"]
            self._start, self._width = statistics["start"], statistics["width"]

    def weighted_values(self) -> tuple[Tensor, Tensor]:
        """The distribution of each slice.

        Returns:
            ``(values, weights)``, both ``(slices, n)``, float64: the kept values in ascending
            order with weight 1, or the centres of the bins with their counts.

        Raises:
            InputError: If nothing was observed.
        """
        if self._values is not None:
            values = self._values.double().sort(dim=1).values
            return values, torch.ones_like(values)
        if self._counts is None:
            raise InputError("nothing was observed: run calibration batches first")
        bin_width = self._width / BINS
        centres = torch.arange(BINS, device=self._counts.device, dtype=torch.float64) + 0.5
        return self._start + centres * bin_width, self._counts.double()

    def bins(self) -> tuple[Tensor, Tensor, Tensor]:
        """The histogram of each slice, also if its values were kept.

        Returns:
            Counts ``(slices, BINS)``, left edge of the first bin ``(slices, 1)`` and width of one
            bin ``(slices, 1)``, all float64.

        Raises:
            InputError: If nothing was observed.
        """
        counted = self
        if self._values is not None:
            counted = Histogram(self.slices)
            counted._add(counted._counted(self._values, finite_extremes(self._values)))
        if counted._counts is None:
            raise InputError("nothing was observed: run calibration batches first")
        return counted._counts.double(), counted._start, counted._width / BINS

    def resolution(self) -> Tensor:
        """Width of one bin, ``(slices, 1)``; 0 for values that were kept."""
        if self._counts is None:
            return torch.zeros(self.slices, 1, dtype=torch.float64)
        return self._width / BINS

    def _keeps(self, x: Tensor) -> bool:
        if self._counts is not None or not self._first:
            return False
        earlier = 0 if self._values is None else self._values.shape[1]
        return earlier + self._elements(x) <= EXACT_LIMIT

    def _elements(self, x: Tensor) -> int:
        """Number of values in one slice of ``x``, over all ranks."""
        return number_in_all(x.shape[1], x.device)

    def _add(self, counts: Tensor) -> None:
        self._counts = self._counts_or_fail() + counts

    def _counted(self, x: Tensor, extremes: tuple[Tensor, Tensor]) -> Tensor:
        """Counts of these values only, after growing the histogram to hold the extremes."""
        low, high = (e.double().unsqueeze(1) for e in extremes)
        if self._counts is None:
            self._open(low, high)
        self._grow(low, high)
        bins = self.slices * BINS
        counts = torch.zeros(bins, dtype=torch.int64, device=x.device)
        first = BINS * torch.arange(self.slices, device=x.device, dtype=torch.int32).unsqueeze(1)
        per_unit = BINS / self._width
        for part in pieces(x, at_least=4 * bins):
            # No value is below the start, so to cut off decimals is to round down.
            index = part.double().sub_(self._start).mul_(per_unit).int().clamp_(0, BINS - 1)
            index = index.add_(first) if self.slices > 1 else index
            counts += torch.bincount(index.reshape(-1), minlength=bins)
        return counts.reshape(self.slices, BINS)

    def _open(self, low: Tensor, high: Tensor) -> None:
        width = high - low
        # A constant slice has width 0: take any width that does not vanish beside its value.
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
            empty = torch.zeros_like(pairs)
            downward, upward = torch.cat([empty, pairs], dim=1), torch.cat([pairs, empty], dim=1)
            self._counts = torch.where(below, downward, torch.where(above, upward, counts))
            self._start = torch.where(below, self._start - self._width, self._start)
            self._width = torch.where(below | above, self._width * 2, self._width)

    def _counts_or_fail(self) -> Tensor:
        assert self._counts is not None
        return self._counts
