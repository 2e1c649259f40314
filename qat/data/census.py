"""How many images each part and class has, one line for each part."""

from collections.abc import Sequence

import torch

from qat.base.plurals import counted
from qat.data.bundle import DataBundle
from qat.data.in_memory import Images

_NAMED = 5
"""Up to this number of classes each is named; more are summarised."""


def data_lines(data: DataBundle) -> list[str]:
    """One line for each part, then the notes on how files were read."""
    width = max(map(len, data.parts))
    lines = [
        f"{name.ljust(width)}  {part_words(images, data.classes, data.class_names)}"
        for name, images in data.parts.items()
    ]
    return [*lines, *data.notes]


def part_words(images: Images, classes: int, names: Sequence[str] = ()) -> str:
    """Number, size and channels of the images of one part, and their spread over the classes.

    Args:
        images: Of one part.
        classes: Number of classes.
        names: Of the classes, in the order of the labels; empty for numbers.

    Example:
        >>> from qat.data.sources.synthetic import load_synthetic
        >>> from qat.data.request import DataRequest
        >>> raw = load_synthetic(DataRequest("synthetic", classes=3, train_images=7, image_size=8))
        >>> part_words(raw.train, 3, ["ant", "bee", "cat"])
        '7 images of 8x8, 3 channels: ant 3, bee 2, cat 2'
    """
    channels, height, width = images.image_shape
    size = (
        f"{counted(len(images), 'image', ',')} of {height}x{width}, {counted(channels, 'channel')}"
    )
    spread = per_class(images, classes, names) if images.labelled else "no labels"
    return f"{size}: {spread}"


def per_class(images: Images, classes: int, names: Sequence[str] = ()) -> str:
    """How labelled images spread over the classes.

    Up to five classes are listed with their counts; of more, the smallest and the largest count
    are given and classes without an image are named.

    Args:
        images: With labels.
        classes: Number of classes.
        names: Of the classes, in the order of the labels; empty for numbers.
    """
    counts = torch.bincount(images.labels.cpu(), minlength=classes).tolist()
    words = [names[k] if names else f"class {k}" for k in range(len(counts))]
    if len(counts) <= _NAMED:
        return ", ".join(f"{word} {count:,}" for word, count in zip(words, counts, strict=True))
    if min(counts) == max(counts):
        return f"{len(counts):,} classes, {counts[0]:,} each"
    empty = [word for word, count in zip(words, counts, strict=True) if not count]
    least = min(count for count in counts if count)
    summary = f"{len(counts):,} classes, {least:,} to {max(counts):,} each"
    if not empty:
        return summary
    more = ", ..." if len(empty) > _NAMED else ""
    return f"{summary}, {len(empty):,} without an image ({', '.join(empty[:_NAMED])}{more})"
