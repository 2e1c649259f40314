"""The ReLU with one limit for each channel."""

import torch
from torch.nn import functional as F

from qat.ptq.clip import ChannelClip


def test_it_is_a_rescaled_relu6():
    x = torch.randn(5, 3, 2, 2) * 8
    s = torch.tensor([0.25, 1.0, 4.0])
    wide = s.reshape(1, 3, 1, 1)
    assert torch.allclose(ChannelClip(6 / s)(x / wide), F.relu6(x) / wide)
    assert torch.equal(ChannelClip(torch.full((3,), 6.0))(x), F.relu6(x))
    assert ChannelClip(s).state_dict().keys() == {"limit"}
