"""Synthetic images that a network can learn, for tests and trials without any file.

Every class has a pattern of 4 x 4 coarse blocks per channel, symmetric so that a flip keeps it. An
image is the pattern of its class plus uniform noise, all in integers, so that every machine
generates the same images.
"""

import torch
from torch import Tensor

from qat.data.bundle import RawData
from qat.data.errors import DataError
from qat.data.in_memory import ImageSet
from qat.data.request import DataRequest
from qat.data.split import stable_seed

TRAIN_IMAGES, TEST_IMAGES, CLASSES, IMAGE_SIZE, CHANNELS = 512, 256, 10, 32, 3
_BLOCKS, _NOISE = 4, 48


def load_synthetic(request: DataRequest) -> RawData:
    """Generate images with the counts, classes, size, channels and seed of ``request``.

    A value that is None takes the default above.

    Raises:
        DataError: If a number is below 1, or there are fewer images than classes.
    """
    classes = _positive("classes", request.classes, CLASSES)
    size = _positive("image_size", request.image_size, IMAGE_SIZE)
    channels = _positive("channels", request.channels, CHANNELS)
    patterns = class_patterns(classes, channels, size, request.split_seed)
    counts = {
        "train": _positive("train_images", request.train_images, TRAIN_IMAGES),
        "test": _positive("test_images", request.test_images, TEST_IMAGES),
    }
    for part, count in counts.items():
        if count < classes:
            raise DataError(
                f"{part}_images must be {classes} (one of each class) or more, got {count}"
            )
    parts = {
        part: _noisy(patterns, count, part, request.split_seed) for part, count in counts.items()
    }
    return RawData(parts["train"], parts["test"], None, classes)


def class_patterns(classes: int, channels: int, size: int, seed: int) -> Tensor:
    """One pattern per class, int64 ``[classes, channels, size, size]``, values 48 to 207.

    Args:
        classes: Number of patterns.
        channels: Of each pattern.
        size: Height and width in pixels.
        seed: Fixes the patterns.

    Example:
        >>> patterns = class_patterns(classes=10, channels=3, size=32, seed=0)
        >>> patterns.shape, torch.equal(patterns, patterns.flip(-1))
        (torch.Size([10, 3, 32, 32]), True)
    """
    generator = torch.Generator().manual_seed(stable_seed("synthetic patterns", seed))
    shape = (classes, channels, _BLOCKS, _BLOCKS // 2)
    half = torch.randint(_NOISE, 256 - _NOISE, shape, generator=generator)
    blocks = torch.cat([half, half.flip(-1)], dim=-1)
    place = torch.arange(size) * _BLOCKS // size
    return blocks[:, :, place][:, :, :, place]


def _noisy(patterns: Tensor, count: int, part: str, seed: int) -> ImageSet:
    generator = torch.Generator().manual_seed(stable_seed("synthetic noise", seed, part))
    labels = torch.arange(count) % len(patterns)
    shape = (count, *patterns.shape[1:])
    noise = torch.randint(-_NOISE, _NOISE + 1, shape, generator=generator)
    return ImageSet((patterns[labels] + noise).to(torch.uint8), labels)


def _positive(name: str, value: int | None, default: int) -> int:
    if value is not None and value < 1:
        raise DataError(f"{name} must be 1 or more, got {value}")
    return default if value is None else value
