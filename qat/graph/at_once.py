"""How many images go through a network at once, by the size of its largest tensor."""

import math

from torch import Tensor, nn

from qat.graph.shapes import layer_calls

LIMIT_BYTES = 32 * 2**20 - 4096
"""Of one tensor of a batch.

glibc takes blocks of 32 MiB and more (M_MMAP_THRESHOLD at its largest) from the system one by one
and hands them back when they are freed: every page of every such tensor is made anew. Smaller ones
are taken from memory that the process keeps. (MobileNetV2 at 224 pixels, fake-quantized, 32 images:
4 at once take 170 thousand page faults and 0.5 s in the system, 8 at once 990 thousand and 2.3 s.)
"""


def images_at_once(net: nn.Module, example: Tensor, limit_bytes: int = LIMIT_BYTES) -> int:
    """Images with which no input or output of a layer takes more than some bytes.

    Args:
        net: Any network.
        example: Images it accepts; the first is run.
        limit_bytes: At least one image is allowed, whatever it takes.

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
