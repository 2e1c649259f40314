"""Statistics of one pass, from which every observer computes its range.

They are collected batch by batch, and a batch is merged into the earlier ones without loss:

    extremes    smallest and largest value of each batch, (batches, 2, slices)
    moments     count, mean, M2, sum of magnitudes, values other than 0 (qat.observers.moments)
    histogram   exact counts in bins that grow, or the values of a small batch

All observers of a sweep are served by one pass over the images: extremes cost next to nothing, so
each pass has them; the other parts are collected if an observer needs them.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.observers.base import EXTREMES, HISTOGRAM, MOMENTS, Observer, batch_extremes
from qat.observers.histogram import Histogram
from qat.observers.moments import Moments


class StatisticsObserver(Observer):
    """Collects statistics; a subclass defines :meth:`range`, ``needs`` and ``union = "sums"``.

    The statistics exist only during calibration; checkpoints do not contain them.

    Args:
        slices: Number of scales.

    Attributes:
        parts: What is collected beside extremes: what the class needs.
    """

    def __init__(self, slices: int) -> None:
        super().__init__(slices)
        self.parts = tuple(type(self).needs or ())
        self.reset()

    @property
    def seen(self) -> bool:
        """True after any value was observed."""
        return bool(self._batches)

    def reset(self) -> None:
        """Delete the statistics."""
        self.moments, self.histogram = Moments(self.slices), Histogram(self.slices)
        self._batches: list[Tensor] = []  # of each batch, (2, slices)
        self._in_batch = False

    def close(self) -> int:
        """End the batch, see the base."""
        calls = super().close()
        self.histogram.close_batch()
        self._in_batch = False
        return calls

    def collect(self, x: Tensor) -> None:
        """Add a tensor to the statistics of the current batch.

        Raises:
            InputError: If the values contain NaN or infinity.
        """
        extremes = low, high = batch_extremes(x)
        if HISTOGRAM in self.parts:
            self.histogram.add(x, extremes)
        if MOMENTS in self.parts:
            self.moments.add(x, extremes)
        if self._in_batch:
            earlier = self._batches.pop()
            low, high = torch.minimum(earlier[0], low), torch.maximum(earlier[1], high)
        self._batches.append(torch.stack([low, high]))
        self._in_batch = True

    def extremes(self) -> tuple[Tensor, Tensor]:
        """Smallest and largest value of each slice over all batches.

        Raises:
            InputError: If nothing was observed.
        """
        if not self._batches:
            raise InputError("nothing was observed: run calibration batches first")
        batches = torch.stack(self._batches)
        return batches[:, 0].amin(dim=0), batches[:, 1].amax(dim=0)

    def statistics(self) -> dict[str, Tensor]:
        """The statistics, as tensors by name; empty before any observation."""
        if not self._batches:
            return {}
        parts = {**self.moments.statistics(), **self.histogram.statistics()}
        return {EXTREMES: torch.stack(self._batches), **parts}

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Replace the statistics, see the base."""
        self.reset()
        self._batches = list(statistics[EXTREMES])
        if MOMENTS in self.parts:
            self.moments.load_statistics(statistics)
        if HISTOGRAM in self.parts:
            self.histogram.load_statistics(statistics)


class Collector(StatisticsObserver):
    """Collects statistics for other observers, which load them; it has no range.

    Args:
        slices: Number of scales.
        parts: What is collected beside extremes, some of :data:`qat.observers.base.PARTS`.

    Example:
        >>> collector = Collector(slices=1, parts=("moments",))
        >>> collector.observe(torch.tensor([[-1.0, 3.0]]))
        >>> collector.extremes()
        (tensor([-1.]), tensor([3.]))
        >>> sorted(collector.statistics())
        ['abs_total', 'count', 'extremes', 'm2', 'mean', 'nonzero']
    """

    union = "sums"

    def __init__(self, slices: int, parts: Sequence[str]) -> None:
        super().__init__(slices)
        self.parts = tuple(parts)


def distribution(observer: Observer) -> tuple[Tensor, Tensor] | None:
    """The observed values of each slice with their weights.

    Args:
        observer: Of a quantizer.

    Returns:
        ``(values, weights)``, see :meth:`Histogram.weighted_values`; None if the observer keeps no
        distribution (as in a rehearsal, where any range serves).
    """
    if not isinstance(observer, StatisticsObserver) or HISTOGRAM not in observer.parts:
        return None
    return observer.histogram.weighted_values()
