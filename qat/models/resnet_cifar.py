"""The residual networks of the CIFAR experiments.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385, section
4.2: 6n + 2 layers, widths 16, 32, 64, shortcuts without parameters (option A: every second pixel,
additional channels zero). Parameters are named conv1, bn1, layer{1,2,3}.{i}.{conv1,bn1,conv2,bn2},
linear, as in common checkpoints.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (16, 32, 64)


class OptionAShortcut(nn.Module):
    """The identity, or every ``stride``-th pixel with channels of zeros added on both sides.

    Args:
        stride: Step between pixels.
        added: Number of added channels, half of them before the others.
    """

    def __init__(self, stride: int, added: int) -> None:
        super().__init__()
        self.stride, self.added = stride, added

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` → ``(n, c + added, h / stride, w / stride)``."""
        if self.stride == 1 and not self.added:
            return x
        before = self.added // 2
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, before, self.added - before))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, to whose result the shortcut is added.

    Args:
        fan_in: Input channels.
        width: Output channels.
        stride: Of the first convolution and the shortcut.
    """

    def __init__(self, fan_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = OptionAShortcut(stride, width - fan_in)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """``relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))``."""
        y = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(y)) + self.shortcut(x))  # type: ignore[no-any-return]


class CifarResNet(nn.Module):
    """A CIFAR residual network of ``6 * blocks + 2`` layers.

    Args:
        blocks: Number of blocks in each of the three stages.
        classes: Number of logits.
        in_channels: Channels of an image.

    Example:
        >>> CifarResNet(blocks=3, classes=10)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, blocks: int, classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        self.layer1 = _stage(WIDTHS[0], WIDTHS[0], blocks, stride=1)
        self.layer2 = _stage(WIDTHS[0], WIDTHS[1], blocks, stride=2)
        self.layer3 = _stage(WIDTHS[1], WIDTHS[2], blocks, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(WIDTHS[2], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, channels, size, size)`` → logits ``(batch, classes)``."""
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(torch.flatten(self.pool(x), 1))  # type: ignore[no-any-return]


def _stage(fan_in: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    first = BasicBlock(fan_in, width, stride)
    return nn.Sequential(first, *(BasicBlock(width, width, 1) for _ in range(blocks - 1)))
