"""Small networks for the steps, and their quantized versions."""

import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize, to_float
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.ptq.work import Work

IMAGES = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(5))


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int = 6) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(x + y)


class Residual(nn.Module):
    """A stem, a residual block, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(6)
        self.block = Block()
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = self.block(torch.relu(self.bn(self.stem(x))))
        return self.fc(x.mean((2, 3)))


def chain_net(activation=nn.ReLU, norms=True):
    """Pointwise, depthwise, pointwise, pool, classifier, as in a MobileNet."""
    norm = nn.BatchNorm2d if norms else nn.Identity
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 1), norm(6), activation()),
        *(nn.Conv2d(6, 6, 3, padding=1, groups=6), norm(6), activation()),
        *(nn.Conv2d(6, 8, 1), norm(8), activation()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)),
    )


def seeded(make, seed=0):
    """A network with random statistics and factors in its batch norms, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = make()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, 0, 0.3)
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 0.2, 0.3)
    return net.eval()


def quantized(net, bits=4, granularity="channel", placement="academic", act_bits=8):
    """The calibrated quantized version of a network."""
    method = Method("minmax")
    scheme = Scheme(
        weight=TensorSpec(bits=bits, granularity=granularity, quantizer=method),
        act=TensorSpec(bits=act_bits, quantizer=method),
        placement=placement,
        first_last="same" if placement == "academic" else "8",
    )
    qnet = quantize(net, make_plan(net, scheme, IMAGES))
    calibrate(qnet, [IMAGES])
    return qnet.eval()


def work_of(qnet, **fields):
    """The work of a step on a quantized network."""
    return Work(qnet, to_float(qnet), list(IMAGES.split(4)), **fields)
