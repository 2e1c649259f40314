"""Batches that know their epoch."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

import lightning as L

from qat.base.errors import InputError
from qat.core.processes import rank, world_size


class SizedBatches(Protocol):
    """One epoch of ``(images, labels)``."""

    def __len__(self) -> int:
        """Number of batches."""

    def __iter__(self) -> Iterator[Any]:
        """The batches in their order."""


TrainBatches = Callable[[int], SizedBatches]


class EpochBatches:
    """Asks for the batches of the epoch that is being trained, each time it is gone through.

    So the order of the data is a function of the epoch even where a training is resumed: nothing
    is counted here.

    Args:
        train_batches: Epoch, from 0, to its batches; every epoch has as many as the first.
        current_epoch: Tells the epoch being trained.

    Raises:
        ValueError: If there are no batches.
    """

    def __init__(self, train_batches: TrainBatches, current_epoch: Callable[[], int]) -> None:
        self._train_batches, self._current_epoch = train_batches, current_epoch
        self._length = len(train_batches(0))
        if self._length == 0:
            raise InputError("there are no batches to train or validate on: give 1 image or more")

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._length

    def __iter__(self) -> Iterator[Any]:
        """The batches of the current epoch.

        The epoch is asked with the first batch, not before: Lightning makes the iterator of a
        resumed training while its count of epochs is not restored yet.
        """
        yield from self._train_batches(self._current_epoch())


class CurrentEpoch:
    """The epoch a trainer is in; unlike a lambda it goes along to other processes."""

    def __init__(self, trainer: L.Trainer) -> None:
        self.trainer = trainer

    def __call__(self) -> int:
        """From 0."""
        return self.trainer.current_epoch


class Wrapped:
    """The same batches every epoch, whatever they are held in.

    Raises:
        ValueError: If there are none.
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
    """This rank's part of every batch: images ``rank, rank + world, ...``, and its weight.

    The gradients of the ranks are averaged, and so ``local_count * world / global_count`` times
    the mean loss of its part is each rank's share in the mean loss of the batch.
    """

    def __init__(self, batches: SizedBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        """Batches an epoch, on every rank the same."""
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        """``(images, labels, weight)``.

        Raises:
            ValueError: If a batch has fewer images than there are ranks.
        """
        mine = slice(rank(), None, world_size())
        for images, labels in self.batches:
            check_share(len(labels), world_size())
            own = labels[mine]
            yield images[mine], own, len(own) * world_size() / len(labels)


class DealtBatches:
    """Whole batches ``rank, rank + world, ...``; of fewer batches than ranks each rank sees all.

    Whole ones, since a range taken at inference depends on the batch.
    """

    def __init__(self, batches: SizedBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        """Batches of this rank."""
        return len(range(*self._mine().indices(len(self.batches))))

    def __iter__(self) -> Iterator[Any]:
        """The batches of this rank."""
        mine = self._mine()
        yield from islice(self.batches, mine.start, None, mine.step)

    def _mine(self) -> slice:
        enough = len(self.batches) >= world_size()
        return slice(rank(), None, world_size()) if enough else slice(0, None, 1)


def check_share(images: int, devices: int) -> None:
    """Raise ValueError if a batch is too small for each rank to have an image of it."""
    if images < devices:
        raise InputError(
            f"a batch of {images} images cannot be shared by trainer.devices={devices}: "
            "choose a trainer.batch_size that leaves no such rest, or fewer devices"
        )
