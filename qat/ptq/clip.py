"""A ReLU whose upper limit is different for each channel: what ReLU6 becomes when it is rescaled.

    y = min(max(x, 0), limit)

With ``limit = 6 / s`` it equals ``relu6(s * x) / s``, so that a network with rescaled channels
computes what it computed before.
"""

import torch
from torch import Tensor, nn


class ChannelClip(nn.Module):
    """Clip each channel to its own range from zero.

    It has no integer form: an integer runtime clips a whole tensor at one limit.

    Args:
        limit: ``(channels,)``, above 0.

    Shape:
        Input and output ``(batch, channels, ...)``.

    Example:
        >>> clip = ChannelClip(torch.tensor([1.0, 3.0]))
        >>> clip(torch.tensor([[2.0, 2.0], [-1.0, 4.0]])).tolist()
        [[1.0, 2.0], [0.0, 3.0]]
    """

    quantized_leaf = "channel_clip"  # qat.graph.trace does not trace into it
    limit: Tensor

    def __init__(self, limit: Tensor) -> None:
        super().__init__()
        self.register_buffer("limit", limit.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Clip ``x``."""
        return torch.minimum(x.relu(), self.limit.reshape(-1, *[1] * (x.ndim - 2)))
