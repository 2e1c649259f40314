"""Resize and centre crop of uint8 batches, with torchvision's rules for sizes."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from qat.data.errors import DataError


def fitted_size(height: int, width: int, resize: int | None, crop: int | None) -> tuple[int, int]:
    """Height and width of a ``height`` x ``width`` image after resize and crop.

    Args:
        height: Of the stored image, in pixels.
        width: Of the stored image, in pixels.
        resize: Length of the shorter side, the longer one in proportion; None keeps the size.
        crop: Side of the centred square that is kept; None keeps all.

    Raises:
        DataError: If the crop is larger than the resized image.

    Example:
        >>> fitted_size(20, 31, resize=40, crop=None)
        (40, 62)
        >>> fitted_size(20, 31, resize=40, crop=32)
        (32, 32)
    """
    height, width = _resized(height, width, resize)
    if crop is None:
        return height, width
    if crop > min(height, width):
        raise DataError(
            f"crop must be at most the image's {height}x{width}, got {crop}; "
            "set data.resize to the crop or more, or a smaller data.crop"
        )
    return crop, crop


def fit(images: Tensor, resize: int | None, crop: int | None) -> Tensor:
    """Resize and centre crop a uint8 batch, each image independently.

    Bilinear interpolation with antialiasing, computed in float32 and rounded, the same on every
    device. (torchvision's uint8 kernel works in fixed point and can differ by 1 of 255.)

    Args:
        images: uint8 ``[B, C, H, W]``.
        resize: Length of the shorter side, the longer one in proportion; None keeps the size.
        crop: Side of the centred square that is kept; None keeps all.

    Raises:
        DataError: If the crop is larger than the resized image.

    Example:
        >>> fit(torch.zeros(2, 3, 20, 31, dtype=torch.uint8), resize=40, crop=32).shape
        torch.Size([2, 3, 32, 32])
    """
    height, width = images.shape[-2:]
    out_height, out_width = fitted_size(height, width, resize, crop)
    resized = _resized(height, width, resize)
    if resized != (height, width):
        floats = interpolate(images.float(), resized, mode="bilinear", antialias=True)
        images = floats.round_().clamp_(0, 255).to(torch.uint8)
    top = round((resized[0] - out_height) / 2)
    left = round((resized[1] - out_width) / 2)
    return images[..., top : top + out_height, left : left + out_width]


def _resized(height: int, width: int, resize: int | None) -> tuple[int, int]:
    """Size after the resize alone: the longer side is rounded down."""
    if resize is None:
        return height, width
    longer = resize * max(height, width) // min(height, width)
    return (resize, longer) if height <= width else (longer, resize)
