"""Mean and standard deviation of pixels, exact from a count of the 256 values."""

import math

import torch

from qat.data.in_memory import Images

_CHUNK = 512
_DIGITS = 6


def pixel_mean_std(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel over all images and pixels, rounded to six digits.

    Pixels are scaled to 0..1. A constant channel has the standard deviation 0.

    Example:
        >>> from qat.data.in_memory import ImageSet
        >>> pixels = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
        >>> pixel_mean_std(ImageSet(pixels, torch.tensor([0, 1])))
        ((0.5,), (0.5,))
    """
    counts = torch.zeros(images.image_shape[0], 256, dtype=torch.int64)
    for start in range(0, len(images), _CHUNK):
        pixels, _ = images.take(slice(start, start + _CHUNK))
        for channel, count in enumerate(counts):
            count += torch.bincount(pixels[:, channel].flatten().cpu(), minlength=256)
    pairs = [_mean_std(count.tolist()) for count in counts]
    means, stds = zip(*pairs, strict=True)
    return means, stds


def _mean_std(counts: list[int]) -> tuple[float, float]:
    total = sum(counts)
    first = sum(value * count for value, count in enumerate(counts))
    second = sum(value * value * count for value, count in enumerate(counts))
    variance = (second * total - first * first) / total**2  # integers until the division
    return round(first / total / 255, _DIGITS), round(math.sqrt(variance) / 255, _DIGITS)
