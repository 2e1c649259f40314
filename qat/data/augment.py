"""Random crop with padding and random flip, for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad as zero_pad

from qat.data.errors import DataError


@dataclass(frozen=True)
class Augment:
    """Shift every image by up to ``pad`` pixels and mirror half of them, by a seed alone.

    The recipe of the CIFAR papers (He et al., "Deep Residual Learning", CVPR 2016, section 4.2):
    pad each side, crop the old size at a random place, flip left to right with probability 1/2.
    Padding is 0 in pixel space, black, before normalisation: what ``RandomCrop(size, padding)``
    does to a PIL image. The random numbers are drawn on the CPU, so every device crops alike.

    Attributes:
        pad: Pixels added to each side; 0 is no crop.
        flip: Whether to mirror.

    Raises:
        DataError: If ``pad`` is negative.
    """

    pad: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        """Refuse a negative padding."""
        if self.pad < 0:
            raise DataError(f"pad must be 0 or more pixels, got {self.pad}; 0 is no crop")

    def __call__(self, images: Tensor, seed: int) -> Tensor:
        """Augmented copies of uint8 ``[B, C, H, W]``, a function of the two arguments."""
        top, left, flipped = self.draw(len(images), seed)
        return crop_and_flip(images, self.pad, top, left, flipped)

    def draw(self, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Top and left edge of each crop, 0 to 2 pad, and whether to flip; all ``[count]``."""
        generator = torch.Generator().manual_seed(seed)
        edges = torch.randint(0, 2 * self.pad + 1, (2, count), generator=generator)
        flipped = torch.rand(count, generator=generator) < 0.5
        return edges[0], edges[1], flipped & self.flip


def crop_and_flip(images: Tensor, pad: int, top: Tensor, left: Tensor, flipped: Tensor) -> Tensor:
    """Cut ``[B, C, H, W]`` out of the padded images at ``(top, left)``, then mirror some.

    One gather does both: a mirrored row is the same row read from its right end. (On 128 images
    of 3x32x32 and one core that takes 0.5 ms; slices image by image 1.6, ``unfold`` 1.1.)

    Args:
        images: Batch ``[B, C, H, W]``.
        pad: Zeros added to each side first.
        top: Row of the padded image where the crop begins, int64 ``[B]``.
        left: Its column, int64 ``[B]``.
        flipped: Whether the crop is mirrored, bool ``[B]``.
    """
    count, channels, height, width = images.shape
    row = torch.arange(height).view(1, -1) + top.view(-1, 1)
    column = torch.arange(width).view(1, -1)
    column = torch.where(flipped.view(-1, 1), width - 1 - column, column) + left.view(-1, 1)
    # (B, H, W) places in one padded channel, the same for all channels of an image
    place = row.unsqueeze(2) * (width + 2 * pad) + column.unsqueeze(1)
    place = place.view(count, 1, -1).to(images.device).expand(-1, channels, -1)
    padded = zero_pad(images, (pad,) * 4).flatten(2)
    return padded.gather(2, place).view(count, channels, height, width)
