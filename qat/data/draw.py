"""Images drawn at random, fixed by a seed."""

import torch

from qat.data.in_memory import Images


def drawn(images: Images, count: int, seed: int) -> Images:
    """``count`` of the images, or all if there are fewer, in random order.

    Args:
        images: To draw from.
        count: At most this number is drawn.
        seed: Fixes the choice and the order.

    Example:
        >>> from qat.data.in_memory import ImageSet
        >>> images = ImageSet(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.arange(4))
        >>> sorted(drawn(images, 9, seed=0).labels.tolist())
        [0, 1, 2, 3]
    """
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return images.subset(order[:count])
