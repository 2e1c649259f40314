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


def images_at_once(net: nn.Module, example: Tensor, limit_bytes: int = LIMIT_BYTES) -> int:
    """Return how many images keep every input and output of a layer within a limit, at least 1.

    Args:
        net: Any network.
        example: Images that the network accepts, ``(N, C, H, W)``; only the first one is run.
        limit_bytes: Limit of one tensor.

    Example:
        >>> import torch
        >>> images_at_once(nn.Conv2d(3, 5, 1), torch.zeros(1, 3, 8, 8), 20_000)  # 5 * 64 * 4 bytes
        15
    """
    shapes = [
        shape
        for call in layer_calls(net, example[:1])
        for shape in (call.input_shape, call.output_shape)
    ]
    most = max(map(math.prod, shapes), default=1) * example.element_size()
    return max(1, limit_bytes // most)
