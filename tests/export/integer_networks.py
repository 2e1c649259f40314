"""Small networks in placement integer, calibrated, for the tests of their export."""

import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec
from qat.export.read import read_with_names
from qat.layers.walk import placed_quantizers


class Counted(nn.Module):
    """So small that every code can be counted: one image channel, two filters, two classes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.head = nn.Linear(2, 2)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([0.5, -1.0]).reshape(2, 1, 1, 1))
            self.conv.bias.copy_(torch.tensor([0.1, -0.2]))
            self.head.weight.copy_(torch.tensor([[1.0, 0.25], [-0.5, 0.75]]))
            self.head.bias.zero_()

    def forward(self, x):
        return self.head(self.conv(x).relu().mean(dim=(2, 3)))


class Residual(nn.Module):
    """Convolution, batch norm, ReLU, a residual, a pool, a linear layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.norm(self.conv(x)).relu()
        x = x + self.second(x)
        return self.head(x.mean(dim=(2, 3)))


def images(n=4, channels=3, size=8):
    """Normalised images."""
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(1))


def scheme(weight_bits=8, act_bits=8, *, symmetric=True, granularity="channel", **more):
    """Placement integer, these widths in every layer."""
    weight = TensorSpec(bits=weight_bits, symmetric=symmetric, granularity=granularity)
    act = TensorSpec(bits=act_bits, symmetric=symmetric)
    return Scheme(weight, act, **{"placement": "integer", "first_last": "same", **more})


def calibrated(net, asked=None, x=None):
    """The quantized network, calibrated on the images it is planned with."""
    x = images() if x is None else x
    net.eval()
    qnet = quantize(net, make_plan(net, asked or scheme(), x))
    calibrate(qnet, [x])
    return qnet


def set_ranges(qnet, ranges):
    """Give quantizers ranges by hand, ``name.slot`` → (low, high)."""
    for _, name, slot, quantizer in placed_quantizers(qnet):
        quantizer.set_range(*ranges[f"{name}.{slot}"])


def read_program(qnet, example):
    """The integer program alone."""
    return read_with_names(qnet, example)[0]
