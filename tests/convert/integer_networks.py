"""A network of every kind of operation, quantized in placement integer."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import StochasticDepth

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec


class Net(nn.Module):
    """A stem, a residual, a gate, a concatenation, a head; dropout and dropped paths."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.act = nn.Hardswish(inplace=True)
        self.left, self.left_norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.right = nn.Conv2d(4, 4, 1)
        self.squeeze = nn.Conv2d(4, 4, 1)
        self.path, self.drop = StochasticDepth(0.5, "row"), nn.Dropout(0.5)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.act(self.norm(self.stem(x)))
        x = F.relu(x + self.path(self.left_norm(self.left(x))))
        x = x * torch.sigmoid(self.squeeze(F.adaptive_avg_pool2d(x, 1)))
        x = torch.cat([F.max_pool2d(x, 2), F.max_pool2d(self.right(x).relu(), 2)], 1)
        return self.head(self.drop(x.mean((2, 3))))


def make_net():
    net = Net()
    for norm in (net.norm, net.left_norm):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias)
    return net.eval()


def integer(weight=None, act=None, **more):
    weight = weight or TensorSpec(bits=8, granularity="channel")
    return Scheme(weight, act or TensorSpec(bits=8), placement="integer", **more)


def quantized(net, images, asked=None, **more):
    qnet = quantize(net, make_plan(net, asked or integer(), images), **more)
    calibrate(qnet, [images])
    return qnet
