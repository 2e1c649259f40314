"""Toy networks whose tensors can be counted by hand, and a strategy for blocks."""

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from qat.memory.blocks import Block
from qat.memory.read import read_memory

FLOAT = 4


class Chain(nn.Module):
    """Image 1x4x4 → conv to 2 channels → ReLU → pool to 2x2 → flatten → linear to 3.

    Elements: 16, 32, 32, 8, (8 the same), 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.relu(self.conv(x))).flatten(1))


class Residual(nn.Module):
    """``relu(conv(x) + x)``: the ReLU's input dies there, the image lives until the add."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv(x) + x).relu()


class Branches(nn.Module):
    """Both branches widen 1 → 8 channels and narrow again; pooled, the results are small.

    On a 1x4x4 image a wide tensor has 128 elements and a narrow one 16. In the network's own
    order both wide ones live at once; an order of branch after branch has one of them alive.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.ModuleList(nn.Conv2d(1, 8, 3, padding=1) for _ in range(2))
        self.narrow = nn.ModuleList(nn.Conv2d(8, 1, 1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.wide[0](x), self.wide[1](x)
        return torch.cat([self.narrow[0](one), self.narrow[1](two)], 1)


class Function(nn.Module):
    """Any function of the image."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


BRANCHES_FIRST = (128 + 128 + 16) * FLOAT
"""Second widening: image and both wide ones; first narrowing: both wide ones and a narrow one."""
BRANCHES_BEST = (16 + 16 + 128) * FLOAT
"""A narrow one or the image beside the other, and one wide one."""


def graph_of(net, shape=(1, 1, 4, 4), **options):
    """Tensors and operations of a network."""
    return read_memory(net.eval(), shape, **options).graph


@st.composite
def blocks(draw, most=40, largest=1000):
    """Blocks with names of their own, alive for one to seven steps."""
    spans = st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(0, largest))
    drawn = draw(st.lists(spans, min_size=1, max_size=most))
    return [Block(f"b{i}", size, a, a + n) for i, (a, n, size) in enumerate(drawn)]
