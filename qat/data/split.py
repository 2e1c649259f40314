"""Subsets and splits of a data set that do not depend on any library's random generator.

The images of a class are ordered by the sha256 of ``seed:purpose:index``. The order depends on
these three values alone, so every version of torch gives the same split.
"""

import hashlib

import torch
from torch import Tensor

from qat.data.errors import DataError


def stable_seed(*parts: object) -> int:
    """A 63-bit number from the text of the parts, the same on every machine.

    Example:
        >>> stable_seed("order", 0, 3)
        8934123816752816458
    """
    text = ":".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def balanced_subset(labels: Tensor, count: int, seed: int, purpose: str) -> Tensor:
    """Indices of ``count`` images with equally many of each class, in ascending order.

    If ``count`` is no multiple of the number of classes, the lower classes get one more. If a class
    has too few images, the others get its share. A smaller subset is part of a larger one.

    Args:
        labels: int64 ``[N]``.
        count: Size of the subset, at least the number of classes present, at most N.
        seed: Fixes the choice.
        purpose: Also fixes the choice, so that two subsets with one seed differ; for the message.

    Raises:
        DataError: If ``count`` is out of its range.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 1, 1, 1])
        >>> labels[balanced_subset(labels, 4, seed=0, purpose="train_images")].tolist()
        [0, 0, 1, 1]
    """
    labels = labels.cpu().clamp(min=0)  # images without labels count as one class
    classes, total = len(labels.unique()), len(labels)
    if not classes <= count <= total:
        raise DataError(
            f"{purpose} must be {classes} (one of each class) to {total} (all), got {count}"
        )
    rank = _rank_in_class(labels, seed, purpose)
    order = sorted(range(total), key=lambda index: (rank[index], int(labels[index])))
    return torch.tensor(order[:count]).sort().values


def split_fraction(labels: Tensor, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Split images into a training and a validation part, with ``fraction`` of every class.

    Of n images of a class ``round(n * fraction)`` are for validation, at least 1 and at most n - 1.

    Args:
        labels: int64 ``[N]``.
        fraction: Share of the validation part, between 0 and 1, both excluded.
        seed: Fixes the choice.

    Returns:
        Indices of the training part and of the validation part, both in ascending order.

    Raises:
        DataError: If ``fraction`` is out of range or a class has only one image.

    Example:
        >>> train, val = split_fraction(torch.tensor([0, 0, 0, 1, 1, 1]), 1 / 3, seed=0)
        >>> len(train), len(val)
        (4, 2)
    """
    if not 0 < fraction < 1:
        raise DataError(f"val_fraction must be 0 or more and less than 1, got {fraction}")
    labels = labels.cpu()
    counts = torch.bincount(labels)
    lone = (counts == 1).nonzero().view(-1).tolist()
    if lone:
        raise DataError(
            f"class {lone[0]} has 1 image, a validation split needs 2 or more of each: "
            "add images of that class, or use more of them (data.train_images)"
        )
    quota = (counts * fraction).round().clamp(min=1).minimum(counts - 1)
    rank = torch.tensor(_rank_in_class(labels, seed, "validation"))
    in_val = rank < quota[labels]
    return (~in_val).nonzero().view(-1), in_val.nonzero().view(-1)


def _rank_in_class(labels: Tensor, seed: int, purpose: str) -> list[int]:
    """Rank of each image in the hashed order of its class, from zero."""
    start = hashlib.sha256(f"{seed}:{purpose}:".encode())

    def order(index: int) -> int:  # stable_seed(seed, purpose, index), without hashing the start
        sha = start.copy()
        sha.update(b"%d" % index)
        return int.from_bytes(sha.digest()[:8], "big") >> 1

    rank = [0] * len(labels)
    ranked = [0] * (int(labels.max()) + 1)
    classes = labels.tolist()
    for index in sorted(range(len(labels)), key=order):
        rank[index] = ranked[classes[index]]
        ranked[classes[index]] += 1
    return rank
