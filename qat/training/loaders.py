"""Batches as Lightning reads them: those of the current epoch, and those of one rank."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

import lightning as L

from qat.base.errors import InputError
from qat.base.plurals import counted
from qat.core.processes import rank, world_size


class SizedBatches(Protocol):
    """One epoch of ``(images, labels)``."""

    def __len__(self) -> int:
        """Number of batches."""

    def __iter__(self) -> Iterator[Any]:
        """The batches in their order."""


TrainBatches = Callable[[int], SizedBatches]
"""From the epoch, counted from 0, to its batches."""


class EpochBatches:
    """The batches of the epoch that is being trained.

    Nothing is counted here, so the order of the data depends on the epoch alone, also in a resumed
    training.

    Args:
        train_batches: From the epoch to its batches; every epoch has as many as the first.
        current_epoch: Returns the epoch that is being trained, from 0.

    Raises:
        ValueError: If there are no batches.
    """

    def __init__(self, train_batches: TrainBatches, current_epoch: Callable[[], int]) -> None:
        self._train_batches, self._current_epoch = train_batches, current_epoch
        self._length = len(train_batches(0))
        if self._length == 0:
            raise InputError("there are no batches to train or validate on: give 1 image or more")

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return self._length

    def __iter__(self) -> Iterator[Any]:
        """The batches of the current epoch.

        The epoch is read with the first batch, not before: in a resumed training Lightning creates
        the iterator before it restores the epoch.
        """
        yield from self._train_batches(self._current_epoch())


class CurrentEpoch:
    """Returns the current epoch of a trainer; unlike a lambda it can be pickled."""

    def __init__(self, trainer: L.Trainer) -> None:
        self.trainer = trainer

    def __call__(self) -> int:
        """The epoch, from 0."""
        return self.trainer.current_epoch


class Wrapped:
    """The same batches in every epoch, from any container.

    Args:
        batches: Of one epoch.

    Raises:
        ValueError: If there are no batches.
    """

    def __init__(self, batches: SizedBatches) -> None:
        self._batches = EpochBatches(_Same(batches), _zero)

    def __len__(self) -> int:
        """Number of batches."""
        return len(self._batches)

    def __iter__(self) -> Iterator[Any]:
        """The batches in their order."""
        yield from self._batches


class _Same:
    def __init__(self, batches: SizedBatches) -> None:
        self.batches = batches

    def __call__(self, epoch: int) -> SizedBatches:
        return self.batches


def _zero() -> int:
    return 0


class RankBatches:
    """This rank's part of every batch, images ``rank, rank + world, ...``, and its weight.

    Gradients are averaged over the ranks. Therefore the mean loss of a part is multiplied by the
    weight ``local_count * world / global_count``; the average over ranks is then the mean loss of
    the whole batch.

    Args:
        batches: Of one epoch, whole.
    """

    def __init__(self, batches: SizedBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        """Number of batches in an epoch, the same on every rank."""
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        """``(images, labels, weight)``.

        Raises:
            ValueError: If a batch has fewer images than there are ranks.
        """
        every_nth = slice(rank(), None, world_size())
        for images, labels in self.batches:
            check_share(len(labels), world_size())
            own = labels[every_nth]
            yield images[every_nth], own, len(own) * world_size() / len(labels)


class DealtBatches:
    """Whole batches ``rank, rank + world, ...``; if there are fewer than ranks, all of them.

    Batches are not divided, because a dynamic range depends on the whole batch.

    Args:
        batches: Of one epoch, whole.
    """

    def __init__(self, batches: SizedBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        """Number of batches of this rank."""
        return len(range(*self._own().indices(len(self.batches))))

    def __iter__(self) -> Iterator[Any]:
        """The batches of this rank."""
        own = self._own()
        yield from islice(self.batches, own.start, None, own.step)

    def _own(self) -> slice:
        enough = len(self.batches) >= world_size()
        return slice(rank(), None, world_size()) if enough else slice(0, None, 1)


def check_share(images: int, devices: int) -> None:
    """Check that a batch has at least one image for each rank.

    Args:
        images: In the batch.
        devices: Number of ranks.

    Raises:
        ValueError: If there are fewer images than ranks.
    """
    if images < devices:
        raise InputError(
            f"a batch of {counted(images, 'image')} cannot be shared by trainer.devices={devices}: "
            "choose a trainer.batch_size that leaves a larger last batch, or fewer devices"
        )
