"""How many images one forward pass may take, from the size of the network's largest tensor."""

import math

from torch import Tensor, nn

from qat.graph.shapes import layer_calls

LIMIT_BYTES = 32 * 2**20 - 4096
"""Limit of one tensor of a batch.

The C library (glibc) requests each block of 32 MiB or more (the largest M_MMAP_THRESHOLD) from the
operating system and returns it when it is freed, so that every page of every such tensor is mapped
again. Smaller blocks come from memory that the process keeps. Measured with a fake-quantized
MobileNetV2, 32 images of 224 pixels: 4 images at once need 170 thousand page faults and 0.5 s of
system time, 8 images at once 990 thousand and 2.3 s.
"""


def images_at_once(image_bytes: int, limit_bytes: int = LIMIT_BYTES) -> int:
    """Return how many images keep a network's largest tensor within a limit, at least 1.

    Args:
        image_bytes: Result of :func:`largest_tensor_bytes`.
        limit_bytes: Limit of one tensor.

    Example:
        >>> images_at_once(1280, 20_000)
        15
    """
    return max(1, limit_bytes // image_bytes)


def largest_tensor_bytes(net: nn.Module, example: Tensor) -> int:
    """Return the bytes of the largest input or output of a layer, for one image.

    Args:
        net: Any network.
        example: Images that the network accepts, ``(N, C, H, W)``; only the first one is run.

    Example:
        >>> import torch
        >>> largest_tensor_bytes(nn.Conv2d(3, 5, 1), torch.zeros(1, 3, 8, 8))  # 5 * 64 * 4
        1280
    """
    shapes = [
        shape
        for call in layer_calls(net, example[:1])
        for shape in (call.input_shape, call.output_shape)
    ]
    return max(map(math.prod, shapes), default=1) * example.element_size()
