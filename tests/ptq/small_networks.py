"""A network with every kind of layer that is rounded, quantized and with the work of a step."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize, to_float
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.ptq.work import Work


class Small(nn.Module):
    """Ordinary, depthwise and grouped convolution, and a linear layer, with given weights."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.a = nn.Conv2d(2, 8, 3, padding=1)
            self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
            self.grouped = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=2)
            self.fc = nn.Linear(8, 4)
            for parameter in self.parameters():  # so that no activation is zero for all images
                nn.init.normal_(parameter, 0.1 if parameter.ndim == 1 else 0.0, 0.5)
        self.eval()

    def forward(self, x):
        x = self.grouped(self.depthwise(self.a(x).relu()).relu())
        return self.fc(x.mean((2, 3)))


def quantized(net, *, bits=3, granularity="channel", placement="academic", act=32, **changes):
    """A calibrated network, and the images that calibrated it."""
    weight = TensorSpec(
        bits=bits, signed=True, granularity=granularity, observer=Method("mse"), **changes
    )
    images = torch.randn(48, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    images = F.avg_pool2d(images, 3, 1, 1) + 0.2  # neighbours depend on each other
    scheme = Scheme(weight=weight, act=TensorSpec(bits=act), first_last="same", placement=placement)
    qnet = quantize(copy.deepcopy(net), make_plan(net, scheme, images[:2])).eval()
    calibrate(qnet, [images])
    return qnet, images


def work_on(qnet, images, net=None):
    """A step's work; the float network is that of the weights so far if none is there."""
    net = copy.deepcopy(to_float(qnet)) if net is None else net
    return Work(qnet, net, list(images.split(16)))
