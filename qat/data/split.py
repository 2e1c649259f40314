"""Which images go where: subsets and splits that no library's generator can change.

An image's place in the order of its class is the sha256 of ``seed:purpose:index``. That depends
on nothing but these three, so a split made today is the split of any later version of torch.
"""

import hashlib

import torch
from torch import Tensor

from qat.data.errors import DataError


def stable_seed(*parts: object) -> int:
    """A 63-bit number from the parts' text: equal parts, equal number, on any machine."""
    text = ":".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def balanced_subset(labels: Tensor, count: int, seed: int, purpose: str) -> Tensor:
    """Indices of ``count`` images with equally many of each class, in ascending order.

    Where ``count`` is no multiple of the classes, the lower classes get one more. A class that
    runs out leaves its share to the others. A smaller subset lies within a larger one.

    Args:
        labels: int64 ``[N]``.
        count: Size of the subset, at least the number of classes present, at most N.
        seed: Chooses the images.
        purpose: Also chooses them, so that two subsets of one seed differ.

    Raises:
        DataError: If ``count`` is out of its range.
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
    """Indices of the rest and of a validation part with ``fraction`` of every class.

    A class of n images gives ``round(n * fraction)``, but at least one and at most n - 1.

    Args:
        labels: int64 ``[N]``.
        fraction: Share to cut, between 0 and 1, both excluded.
        seed: Chooses the images.

    Raises:
        DataError: If ``fraction`` is out of range or a class has but one image.
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
    """Place of each image in its class's hashed order, from zero."""
    rank = [0] * len(labels)
    seen = [0] * (int(labels.max()) + 1)
    classes = labels.tolist()
    for index in sorted(range(len(labels)), key=lambda i: stable_seed(seed, purpose, i)):
        rank[index] = seen[classes[index]]
        seen[classes[index]] += 1
    return rank
