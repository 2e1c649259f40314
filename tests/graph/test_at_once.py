"""How many images go through a network at once: by hand."""

import torch
from torch import nn

from qat.graph.at_once import LIMIT_BYTES, images_at_once, largest_tensor_bytes


def test_the_largest_tensor_decides():
    # 16 x 16 x 8 floats between the layers: 8192 bytes an image
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1, stride=4))
    assert largest_tensor_bytes(net, torch.zeros(4, 3, 16, 16)) == 8192
    assert images_at_once(8192, 8192 * 5) == 5
    assert images_at_once(8192, 8192 * 5 - 1) == 4
    assert images_at_once(8192, 1) == 1


def test_small_images_go_in_whole_batches_of_evaluation():
    """The published networks' numbers were made in batches of 250 images: they stay."""
    widest = nn.Conv2d(3, 32, 3, padding=1)  # of simple_cnn; those of ResNet-20 have 16 channels
    assert images_at_once(largest_tensor_bytes(widest, torch.zeros(1, 3, 32, 32))) >= 250
    # MobileNetV2 at 224 pixels has 96 channels of 112 x 112
    large = nn.Conv2d(3, 96, 1, stride=2)
    assert images_at_once(largest_tensor_bytes(large, torch.zeros(1, 3, 224, 224))) == 6
    assert LIMIT_BYTES < 32 * 2**20
