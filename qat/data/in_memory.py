"""Images as one tensor, on any device, with no worker processes."""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol, Self

import torch
from torch import Tensor

from qat.data.errors import DataError
from qat.data.labels import NO_LABEL, is_labelled
from qat.data.resize import fit, fitted_size

Fit = tuple[int | None, int | None]
"""A resize and a centre crop; ``(None, None)`` leaves images as they are."""

_CHUNK = 256


class Images(Protocol):
    """What batches need of a set of images; ``ImageSet`` and ``FolderImages`` are such."""

    @property
    def labels(self) -> Tensor:
        """int64 ``[N]``, classes from zero; -1 throughout where there are no labels."""
        ...

    @property
    def labelled(self) -> bool:
        """Whether each image has a class."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of what :meth:`take` gives."""
        ...

    @property
    def fitted(self) -> Fit:
        """The resize and crop that :meth:`take` has already applied."""
        ...

    def __len__(self) -> int:
        """Number of images."""
        ...

    def take(self, indices: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Uint8 images ``[B, C, H, W]`` and int64 labels ``[B]`` in the order of ``indices``."""
        ...

    def subset(self, indices: Tensor) -> Self:
        """The images at ``indices``, in that order."""
        ...

    def to(self, device: torch.device | str) -> Self:
        """The same images, given out on ``device``."""
        ...

    def digest(self) -> str:
        """Sha256 of the content, the same on any device."""
        ...


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and labels that are held in memory. Frozen: share it, do not write into it.

    Attributes:
        images: uint8 ``[N, C, H, W]``, 0 to 255.
        labels: int64 ``[N]``, classes from zero; -1 throughout for images without labels.
        fitted: The resize and crop that the images have been through.

    Raises:
        DataError: If a type, a shape or a label is not so, or there are no images.
    """

    images: Tensor
    labels: Tensor
    fitted: Fit = (None, None)
    _kept: dict[Fit, "ImageSet"] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check types and shapes, then that each image has a label and each label a class."""
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
            raise DataError(
                f"images and labels must be of one length, got {len(self.images)} images and "
                f"{len(self.labels)} labels; give one label per image"
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
            indices = indices.to(self.images.device)
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
        """All images resized and cropped, or this very set if they would not fit.

        The latest result stays with the set, so that every epoch finds it.

        Args:
            resize: Length of the shorter side, or None.
            crop: Side of the centred square, or None.
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
    """Dtype and shape, and a word on NaN, which only a float tensor can hold."""
    nan = " with NaN" if array.is_floating_point() and bool(array.isnan().any()) else ""
    return f"{str(array.dtype).removeprefix('torch.')} {list(array.shape)}{nan}"
