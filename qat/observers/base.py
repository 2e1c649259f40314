"""What every observer owes its quantizer."""

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.grid import IntGrid
from qat.core.processes import minimum, world_size


class Observer(nn.Module):
    """Collects a tensor's values, slice by slice, and says which range to represent.

    A slice is the set of elements that share one scale (see :class:`qat.core.layout.Layout`).
    Several tensors of one forward may share it, too: a batch is then the union of these tensors,
    and only whole batches reach :meth:`collect`, or what it does over batches.

    Attributes:
        uses: How many tensors of one forward share the scale; None while that is not known, and
            :meth:`close` ends each batch.
        union: How it comes by the union of several tensors. ``values``: they are kept until the
            last has come; ``extremes``: so are their extremes, which are all that it collects;
            ``sums``: it adds tensor to tensor, and the order does not matter. Each class names
            its own, as ``statistics_kind``.
        follows_training: True if the range keeps following while a network trains.
        statistics_kind: What it collects; observers of one kind may share it. Each class names
            its own, a subclass inherits none: it may collect something else.

    Args:
        slices: Number of scales.
    """

    follows_training = False
    statistics_kind: ClassVar[str | None] = None
    union: ClassVar[str] = "values"

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.slices = slices
        self.uses: int | None = 1
        self._calls = 0  # tensors of the batch that is open
        self._parts: list[Tensor] = []  # what has to wait for the batch's last tensor

    @property
    def seen(self) -> bool:
        """True once any value was observed."""
        raise NotImplementedError

    def observe(self, x: Tensor) -> None:
        """Take in values of shape ``(slices, elements)``: a tensor of the present batch.

        In a distributed training these are this rank's part of a batch, perhaps none of it, and
        what is collected is of the whole batch: every rank must call this equally often.

        Raises:
            ValueError: If they hold NaN or infinity.
        """
        self._calls += 1
        if x.shape[1] or world_size() > 1:
            self._gather(x.detach())
        if self._calls == self.uses:
            self.close()

    def close(self) -> int:
        """End the present batch: no further tensor of it comes. Returns how many have come."""
        parts, calls = self._parts, self._calls
        self._parts, self._calls = [], 0
        if parts:
            self.collect(torch.cat(parts, dim=1))
        return calls

    def expect(self, uses: int | None) -> None:
        """Begin a new batch, of so many tensors; what came of the one before is dropped."""
        self._parts, self._calls, self.uses = [], 0, uses

    @property
    def is_open(self) -> bool:
        """True while a batch lacks some of its tensors."""
        return self._calls > 0

    def collect(self, x: Tensor) -> None:
        """Take in a batch, at least one value for each slice; what a subclass defines."""
        raise NotImplementedError

    def _gather(self, x: Tensor) -> None:
        union = type(self).__dict__.get("union", "values")
        if self.uses == 1 or union == "sums":
            self.collect(x)
        elif union == "extremes" and x.shape[1]:
            self._parts.append(torch.stack(torch.aminmax(x, dim=1), dim=1))
        else:
            self._parts.append(x)

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """``(rmin, rmax)``, each of shape ``(slices,)``, for codes of that grid."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget everything."""
        raise NotImplementedError

    def statistics_key(self) -> dict[str, Any] | None:
        """What determines the statistics beside the values; None if they cannot be shared."""
        kind = type(self).__dict__.get("statistics_kind")
        return None if kind is None else {"kind": kind, "slices": self.slices}

    def statistics(self) -> dict[str, Tensor]:
        """What was collected, as tensors by name."""
        return {name: buffer.detach().clone() for name, buffer in self.named_buffers()}

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Take what another observer of this key collected: ranges are then equal, bit for bit."""
        for name, buffer in self.named_buffers():
            buffer.copy_(statistics[name])


def finite_extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest value of each row.

    Raises:
        ValueError: If a row holds NaN or infinity.
    """
    low, high = torch.aminmax(x, dim=1)  # NaN and infinity come through, so checking these is all
    if not bool((torch.isfinite(low) & torch.isfinite(high)).all()):
        _refuse()
    return low, high


def batch_extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`finite_extremes` of the rows of all ranks together; on each rank the same, exactly.

    Raises:
        ValueError: If a row holds NaN or infinity on any rank; then all ranks raise it.
    """
    if world_size() == 1:
        return finite_extremes(x)
    if x.shape[1]:
        low, high = torch.aminmax(x, dim=1)
    else:
        low, high = x.new_full((len(x),), torch.inf), x.new_full((len(x),), -torch.inf)
    finite = torch.isfinite(low) & torch.isfinite(high) | (x.shape[1] == 0)
    # What a minimum makes of NaN is the backend's choice, so whether any came goes as a number.
    sent = torch.stack([low, -high, finite.to(x.dtype)])
    low, negative_high, all_finite = minimum(sent.nan_to_num(0.0, torch.inf, -torch.inf))
    if not bool(all_finite.all()):
        _refuse()
    return low, -negative_high


def _refuse() -> NoReturn:
    raise InputError(
        "observed values hold NaN or infinity: repair data or weights, or lower the learning "
        "rates if this is training"
    )
