"""Images as one tensor on any device; no worker processes are needed."""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol, Self

import torch
from torch import Tensor

from qat.base.plurals import counted
from qat.data.errors import DataError
from qat.data.labels import NO_LABEL, is_labelled
from qat.data.resize import fit, fitted_size
from qat.data.transfer import to_device

Fit = tuple[int | None, int | None]
"""Resize and centre crop, in pixels; ``(None, None)`` leaves images as they are."""

_CHUNK = 256


class Images(Protocol):
    """The interface that batches need; ``ImageSet`` and ``FolderImages`` have it."""

    @property
    def labels(self) -> Tensor:
        """int64 ``[N]``, classes from zero; all -1 if there are no labels."""
        ...

    @property
    def labelled(self) -> bool:
        """Whether each image has a class."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images that :meth:`take` returns."""
        ...

    @property
    def fitted(self) -> Fit:
        """The resize and crop that :meth:`take` has already applied."""
        ...

    def __len__(self) -> int:
        """Number of images."""
        ...

    def take(self, indices: Tensor | slice) -> tuple[Tensor, Tensor]:
        """uint8 images ``[B, C, H, W]`` and int64 labels ``[B]`` in the order of ``indices``."""
        ...

    def subset(self, indices: Tensor) -> Self:
        """The images at ``indices``, in that order."""
        ...

    def to(self, device: torch.device | str) -> Self:
        """The same images; :meth:`take` returns them on ``device``."""
        ...

    def digest(self) -> str:
        """Sha256 of the content, the same on any device."""
        ...


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and labels in memory. It is frozen: share it, do not write into it.

    Attributes:
        images: uint8 ``[N, C, H, W]``, 0 to 255.
        labels: int64 ``[N]``, classes from zero; all -1 for images without labels.
        fitted: The resize and crop that were already applied to the images.

    Raises:
        DataError: If a type, a shape or a label is wrong, or there are no images.

    Example:
        >>> image_set = ImageSet(torch.zeros(4, 3, 8, 6, dtype=torch.uint8), torch.arange(4))
        >>> len(image_set), image_set.image_shape
        (4, (3, 8, 6))
        >>> image_set.subset(torch.tensor([2, 0])).labels.tolist()
        [2, 0]
    """

    images: Tensor
    labels: Tensor
    fitted: Fit = (None, None)
    _kept: dict[Fit, "ImageSet"] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check types, shapes and lengths, then the labels."""
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise DataError(
                f"images must be a uint8 tensor [N, C, H, W], got {_described(self.images)}; "
                "scale floats to 0..255, round and cast them first"
            )
        if self.labels.dtype != torch.int64 or self.labels.ndim != 1:
            raise DataError(
                f"labels must be an int64 tensor [N], got {_described(self.labels)}; "
                "give one class number per image, cast with .long()"
            )
        if len(self.images) != len(self.labels):
            images, labels = counted(len(self.images), "image"), counted(len(self.labels), "label")
            raise DataError(
                f"images and labels must have the same length, got {images} and {labels}; "
                "give one label per image"
            )
        if 0 in self.images.shape:
            raise DataError(f"there must be images, got shape {list(self.images.shape)}; add some")
        if int(self.labels.min()) < 0 and not bool((self.labels == NO_LABEL).all()):
            raise DataError(
                f"labels must be 0 or more, got {int(self.labels.min())}; number classes from 0"
            )

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)

    @property
    def labelled(self) -> bool:
        """Whether each image has a class."""
        return is_labelled(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def take(self, indices: Tensor | slice) -> tuple[Tensor, Tensor]:
        """The images and labels at ``indices``; a slice copies nothing."""
        if isinstance(indices, Tensor):
            indices = to_device(indices, self.images.device)
            return self.images.index_select(0, indices), self.labels.index_select(0, indices)
        return self.images[indices], self.labels[indices]

    def subset(self, indices: Tensor) -> "ImageSet":
        """A set of the images at ``indices``, in that order."""
        return ImageSet(*self.take(indices), self.fitted)

    def to(self, device: torch.device | str) -> "ImageSet":
        """This set on ``device``; itself if it is there already."""
        if self.images.device == torch.device(device):
            return self
        return ImageSet(self.images.to(device), self.labels.to(device), self.fitted)

    def digest(self) -> str:
        """Sha256 of shape, pixels and labels, the same on any device."""
        sha = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        for array in (self.images, self.labels):
            sha.update(array.cpu().contiguous().numpy().data)
        return sha.hexdigest()

    def resized(self, resize: int | None, crop: int | None, memory_limit: int) -> "ImageSet":
        """All images resized and cropped, or this set itself if the result needs too much memory.

        The latest result is kept with the set for the next epoch.

        Args:
            resize: Length of the shorter side; None keeps the size.
            crop: Side of the centred square; None keeps all.
            memory_limit: Bytes that the result may take.
        """
        channels, height, width = self.image_shape
        height, width = fitted_size(height, width, resize, crop)
        if len(self) * channels * height * width > memory_limit:
            return self
        if (resize, crop) not in self._kept:
            parts = [fit(part, resize, crop) for part in self.images.split(_CHUNK)]
            self._kept.clear()
            self._kept[resize, crop] = ImageSet(torch.cat(parts), self.labels, (resize, crop))
        return self._kept[resize, crop]


def _described(array: Tensor) -> str:
    """Type and shape, and whether a float tensor contains NaN."""
    nan = " with NaN" if array.is_floating_point() and bool(array.isnan().any()) else ""
    return f"{str(array.dtype).removeprefix('torch.')} {list(array.shape)}{nan}"
