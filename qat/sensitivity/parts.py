"""Batches in small parts: their activations fit into the processor's cache.

Operations on a part give what they give on the whole batch, bit for bit, wherever they sum in an
order that does not depend on the number of images. That is compared on one batch of each shape.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PART_IMAGES = 32
"""Largest number of images in a part."""


@torch.no_grad()
def in_parts(
    net: nn.Module, batches: Sequence[Tensor], outputs: Tensor, images: int = PART_IMAGES
) -> list[Tensor]:
    """The images of the batches, those of some batches in several parts.

    Batches of a shape stay whole if the network's outputs depend on the division.

    Args:
        net: In evaluation mode.
        batches: Images.
        outputs: Of the network, for all batches.
        images: Largest number of images in a part.

    Example:
        >>> batches = [torch.ones(4, 1), torch.ones(2, 1)]
        >>> [len(part) for part in in_parts(nn.ReLU(), batches, torch.ones(6, 1), images=2)]
        [2, 2, 2]
    """
    divisible: dict[torch.Size, bool] = {}
    parts: list[Tensor] = []
    for batch, expected in zip(batches, outputs.split([len(b) for b in batches]), strict=True):
        own = batch.tensor_split(-(-len(batch) // images))
        if len(own) > 1 and batch.shape not in divisible:
            divisible[batch.shape] = torch.equal(torch.cat([net(p) for p in own]), expected)
        parts += own if divisible.get(batch.shape) else [batch]
    return parts
