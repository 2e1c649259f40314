"""Batches that depend on (seed, epoch, batch index) alone, not on earlier batches."""

from collections.abc import Iterator

import torch
from torch import Tensor

from qat.base.plurals import counted
from qat.data.augment import Augment
from qat.data.errors import DataError
from qat.data.in_memory import Images, ImageSet
from qat.data.preprocess import Preprocess
from qat.data.resize import fit, fitted_size
from qat.data.split import stable_seed

DEFAULT_MEMORY_LIMIT = 2 * 2**30


class Batches:
    """One epoch of ``(float images, labels)``, on the device of the images.

    The order depends on (seed, epoch), crops and flips depend on (seed, epoch, batch index). No
    generator is carried from batch to batch: any batch can be computed alone, again, and after a
    restart.

    Augmentation follows resize and centre crop and precedes normalisation, on uint8. If the resized
    images need at most ``memory_limit`` bytes, they are computed once and kept with the image set,
    otherwise for each batch; the numbers are the same.

    Args:
        image_set: In memory or streamed.
        batch_size: Images in a batch; the last one may be smaller.
        preprocess: Applied to every batch.
        augment: None for evaluation.
        shuffle: A new order every epoch if true, the order of the set otherwise.
        seed: Fixes order, crops and flips.
        epoch: Number of the epoch, from 0.
        drop_last: Leave out a last batch that is not full.
        memory_limit: Bytes that resized images may take.

    Raises:
        DataError: If ``batch_size`` is below 1, no batch remains, or the preprocessing does not
            fit the images.

    Example:
        >>> images = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1)
        >>> image_set = ImageSet(images, torch.arange(5))
        >>> batches = Batches(image_set, 2, Preprocess((0.0,), (1.0,)))
        >>> [labels.tolist() for _, labels in batches]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        image_set: Images,
        batch_size: int,
        preprocess: Preprocess,
        augment: Augment | None = None,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        drop_last: bool = False,
        memory_limit: int = DEFAULT_MEMORY_LIMIT,
    ) -> None:
        """Check what can be checked without a batch."""
        if batch_size < 1:
            raise DataError(f"batch_size must be 1 or more, got {batch_size}")
        self.image_set, self.batch_size, self.preprocess = image_set, batch_size, preprocess
        self.augment, self.shuffle, self.drop_last = augment, shuffle, drop_last
        self.seed, self.epoch, self.memory_limit = seed, epoch, memory_limit
        self._check_preprocess()
        if len(self) == 0:
            verb = "gives" if len(image_set) == 1 else "give"
            raise DataError(
                f"{counted(len(image_set), 'image')} {verb} no full batch of {batch_size}; "
                "set drop_last=false or a smaller batch_size"
            )

    def __len__(self) -> int:
        """Number of batches."""
        full, left_over = divmod(len(self.image_set), self.batch_size)
        return full + (left_over > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All batches of the epoch in their order."""
        order, source = self._order(), self._source()
        for index in range(len(self)):
            yield self._batch(index, order, source)

    def batch(self, index: int) -> tuple[Tensor, Tensor]:
        """Batch ``index`` of the epoch alone, equal to the one that iteration gives.

        Raises:
            IndexError: If the epoch has no such batch.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"batch must be 0 to {len(self) - 1}, got {index}")
        return self._batch(index, self._order(), self._source())

    def at_epoch(self, epoch: int) -> "Batches":
        """The batches of another epoch; both share the resized images."""
        return Batches(
            self.image_set,
            self.batch_size,
            self.preprocess,
            self.augment,
            self.shuffle,
            self.seed,
            epoch,
            self.drop_last,
            self.memory_limit,
        )

    @property
    def _fit(self) -> tuple[int | None, int | None]:
        return self.preprocess.resize, self.preprocess.crop

    def _check_preprocess(self) -> None:
        """Raise DataError now, not in the first batch, if the preprocessing does not fit."""
        channels, height, width = self.image_set.image_shape
        if self.image_set.fitted == (None, None):
            fitted_size(height, width, *self._fit)
        elif self.image_set.fitted != self._fit:
            raise DataError(
                f"images were read with (resize, crop) = {self.image_set.fitted}, but the "
                f"preprocessing has {self._fit}; load the data with the same values"
            )
        self.preprocess.normalise(torch.zeros(1, channels, 1, 1, dtype=torch.uint8))

    def _order(self) -> Tensor | None:
        if not self.shuffle:
            return None
        generator = torch.Generator().manual_seed(stable_seed("order", self.seed, self.epoch))
        return torch.randperm(len(self.image_set), generator=generator)

    def _source(self) -> Images:
        """The images that batches are taken from: already resized if that fits into memory."""
        if self.image_set.fitted == self._fit or not isinstance(self.image_set, ImageSet):
            return self.image_set
        return self.image_set.resized(*self._fit, self.memory_limit)

    def _batch(self, index: int, order: Tensor | None, source: Images) -> tuple[Tensor, Tensor]:
        span = slice(index * self.batch_size, (index + 1) * self.batch_size)
        images, labels = source.take(span if order is None else order[span])
        if source.fitted != self._fit:
            images = fit(images, *self._fit)
        if self.augment is not None:
            images = self.augment(images, stable_seed("augment", self.seed, self.epoch, index))
        return self.preprocess.normalise(images), labels
