"""Networks whose costs and lifetimes are counted by hand."""

import torch
from torch import nn


class Residual(nn.Module):
    """One shortcut: ``x`` feeds two convolutions and an addition. Images are 2 x 4 x 4."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1, bias=False)  # 72 weights, 1,152 MACs
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.left = nn.Conv2d(4, 4, 1, bias=False)  # 16 weights, 256 MACs
        self.right = nn.Conv2d(4, 4, 1, bias=False)  # 16 weights, 256 MACs
        self.head = nn.Linear(4, 3, bias=False)  # 12 weights, 12 MACs

    def forward(self, images):
        x = self.relu(self.norm(self.stem(images)))  # 64 elements
        y = self.left(x) + self.right(x)  # 64 each, and the sum
        return self.head(torch.flatten(y.mean(dim=(2, 3)), 1))


class Chain(nn.Module):
    """Two convolutions in a row. Images are 2 x 4 x 4."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 8, 3, padding=1)  # 144 weights, 2,304 MACs
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.second = nn.Conv2d(8, 4, 1)  # 32 weights, 128 MACs
        self.head = nn.Linear(16, 3)  # 48 weights, 48 MACs

    def forward(self, images):
        return self.head(self.second(self.pool(self.relu(self.first(images)))).flatten(1))
