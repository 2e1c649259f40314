"""Images drawn at random, by a seed alone."""

import torch

from qat.data.bundle import Images


def drawn(images: Images, count: int, seed: int) -> Images:
    """``count`` of the images, or all of fewer, in an order that the seed fixes."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return images.subset(order[:count])
