"""Base class of observers, which collect values and give a range to a quantizer."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from qat.core.checks import require
from qat.core.grid import IntGrid
from qat.core.processes import minimum, world_size

_NOT_FINITE = (
    "observed values contain NaN or infinity: repair data or weights, or lower the learning rates "
    "if this is training"
)


EXTREMES = "extremes"
"""Name of ``(batches, 2, slices)``: smallest and largest value of each batch."""
MOMENTS, HISTOGRAM = "moments", "histogram"
PARTS = (MOMENTS, HISTOGRAM)
"""Statistics beside the extremes of each batch, which cost next to nothing."""


class Observer(nn.Module):
    """Collects the values of a tensor, slice by slice, and returns the range to represent.

    A slice is the set of elements that share one scale (see :class:`qat.core.layout.Layout`). A
    subclass defines :attr:`seen`, :meth:`collect`, :meth:`range` and :meth:`reset`.

    Several tensors of one forward pass may share their scales, such as the inputs of an addition.
    A batch is then the union of these tensors.

    Attributes:
        uses: Number of tensors of one forward pass that share the scales. None if it is not known
            yet; then :meth:`close` ends each batch.
        union: How a batch of several tensors is collected. ``values``: all values are kept until
            the last tensor, then collected together. ``extremes``: the same with the extremes of
            each tensor, for a class that uses nothing else. ``sums``: each tensor is collected at
            once, for a class whose statistics do not depend on the order. A class has ``values``
            unless it sets ``union`` itself; it is not inherited.
        follows_training: True if the range keeps changing while a network trains.
        needs: What the range is computed from, beside the extremes of each batch, which all have:
            some of :data:`PARTS`. Observers take these from one pass
            (:class:`qat.observers.statistics.StatisticsObserver`). It is not inherited either,
            since a subclass may collect something else; None: it has to observe the values itself.

    Args:
        slices: Number of scales.

    Example:
        >>> class MeanObserver(Observer):
        ...     "Twice the mean magnitude of the last batch, on both sides."
        ...     def __init__(self, slices):
        ...         super().__init__(slices)
        ...         self.register_buffer("reach", torch.zeros(slices))
        ...     @property
        ...     def seen(self):
        ...         return bool((self.reach > 0).any())
        ...     def collect(self, x):
        ...         batch_extremes(x)  # refuses NaN and infinity
        ...         self.reach.copy_(2 * x.abs().mean(dim=1))
        ...     def range(self, grid, *, symmetric):
        ...         return -self.reach, self.reach
        ...     def reset(self):
        ...         self.reach.zero_()
        >>> observer = MeanObserver(slices=1)
        >>> observer.observe(torch.tensor([[-1.0, 3.0]]))
        >>> observer.range(IntGrid(8, signed=True), symmetric=True)
        (tensor([-4.]), tensor([4.]))
    """

    follows_training = False
    needs: ClassVar[tuple[str, ...] | None] = None
    union: ClassVar[str] = "values"

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.slices = slices
        self.uses: int | None = 1
        self._calls = 0  # tensors of the current batch so far
        self._parts: list[Tensor] = []  # their values or extremes, until the last tensor

    @property
    def seen(self) -> bool:
        """True after any value was observed.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def observe(self, x: Tensor) -> None:
        """Add a tensor of shape ``(slices, elements)`` to the current batch.

        In a distributed training it is this rank's part of the tensor, possibly empty. The
        statistics are those of all ranks, so every rank must call this equally often.

        Raises:
            InputError: If the values contain NaN or infinity.
        """
        self._calls += 1
        if x.shape[1] or world_size() > 1:
            self._gather(x.detach())
        if self._calls == self.uses:
            self.close()

    def close(self) -> int:
        """End the current batch.

        Returns:
            Number of tensors that were observed in it.

        Raises:
            InputError: If the values contain NaN or infinity.
        """
        parts, calls = self._parts, self._calls
        self._parts, self._calls = [], 0
        if parts:
            self.collect(torch.cat(parts, dim=1))
        return calls

    def expect(self, uses: int | None) -> None:
        """Begin a new batch of ``uses`` tensors; an unfinished batch is dropped."""
        self._parts, self._calls, self.uses = [], 0, uses

    @property
    def is_open(self) -> bool:
        """True while the current batch lacks some of its tensors."""
        return self._calls > 0

    def collect(self, x: Tensor) -> None:
        """Collect ``(slices, elements)``: a batch, or with ``union="sums"`` a tensor of it.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def _gather(self, x: Tensor) -> None:
        union = type(self).__dict__.get("union", "values")
        if self.uses == 1 or union == "sums":
            self.collect(x)
        elif union == "extremes" and x.shape[1]:
            self._parts.append(torch.stack([x.amin(dim=1), x.amax(dim=1)], dim=1))
        else:
            self._parts.append(x)

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The range to represent.

        Args:
            grid: The codes that will represent it.
            symmetric: True if the zero point is fixed at 0.

        Returns:
            ``(rmin, rmax)``, each of shape ``(slices,)``.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Delete the statistics.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def statistics_key(self, complete: bool = False) -> dict[str, Any] | None:
        """Settings on which the statistics depend; None if they cannot be shared.

        Args:
            complete: Of statistics that serve every observer, not only this one.
        """
        needs = type(self).__dict__.get("needs")
        if needs is None:
            return None
        return {"parts": list(PARTS if complete else needs), "slices": self.slices}

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Replace the statistics by those of a pass that had at least what this one ``needs``.

        The range is then that after observing the values, bit for bit.

        Args:
            statistics: From :meth:`qat.observers.statistics.StatisticsObserver.statistics`.

        Raises:
            NotImplementedError: Always; a subclass that sets ``needs`` defines it.
        """
        raise NotImplementedError


def finite_extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest value of each row of ``(slices, elements)``.

    Raises:
        InputError: If a row contains NaN or infinity.

    Example:
        >>> finite_extremes(torch.tensor([[1.0, -2.0], [5.0, 3.0]]))
        (tensor([-2.,  3.]), tensor([1., 5.]))
    """
    low, high = x.amin(dim=1), x.amax(dim=1)  # NaN and infinity in a row appear here
    require(torch.isfinite(low) & torch.isfinite(high), _NOT_FINITE)
    return low, high


def batch_extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest value of each row of ``(slices, elements)``, over all ranks.

    Raises:
        InputError: If a row contains NaN or infinity on any rank; then all ranks raise it.

    Example:
        >>> batch_extremes(torch.tensor([[1.0, -2.0], [5.0, 3.0]]))
        (tensor([-2.,  3.]), tensor([1., 5.]))
    """
    if world_size() == 1:
        return finite_extremes(x)
    if x.shape[1]:
        low, high = x.amin(dim=1), x.amax(dim=1)
    else:
        low, high = x.new_full((len(x),), torch.inf), x.new_full((len(x),), -torch.inf)
    finite = torch.isfinite(low) & torch.isfinite(high) | (x.shape[1] == 0)
    # Backends differ in the minimum of NaN, so "all finite" is sent as a number of its own.
    sent = torch.stack([low, -high, finite.to(x.dtype)])
    low, negative_high, all_finite = minimum(sent.nan_to_num(0.0, torch.inf, -torch.inf))
    require(all_finite > 0, _NOT_FINITE)
    return low, -negative_high
