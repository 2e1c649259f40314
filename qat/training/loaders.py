"""Batches that know their epoch."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol


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
            raise ValueError("there are no batches to train or validate on: give 1 image or more")

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._length

    def __iter__(self) -> Iterator[Any]:
        """The batches of the current epoch.

        The epoch is asked with the first batch, not before: Lightning makes the iterator of a
        resumed training while its count of epochs is not restored yet.
        """
        yield from self._train_batches(self._current_epoch())
