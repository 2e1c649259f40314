"""A network whose harms do not add up, and every plan of it, measured one by one.

``a(x) - b(x) + c(x)`` with equal weights in ``a`` and ``b``: at equal widths their rounding errors
cancel, and alone each is worse than that of ``c``.
"""

import itertools

import torch
from torch import nn

from qat.allocate.assign import apply_bits
from qat.allocate.costs import network_costs
from qat.allocate.problem import make_problem
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec
from qat.sensitivity.measure import sensitivities

WIDTHS = (2, 8)
SLOTS = [(name, "weight") for name in "abc"]


class Cancelling(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Linear(4, 3, bias=False) for _ in "abc")
        weight = torch.tensor(
            [[1.0, 0.3, -0.4, 0.2], [-0.3, 0.7, 0.4, -1.0], [0.4, -0.3, 0.9, 0.3]]
        )
        with torch.no_grad():
            self.a.weight.copy_(weight)
            self.b.weight.copy_(weight)
            self.c.weight.copy_(weight.flip(0) / 2)

    def forward(self, x):
        return self.a(x) - self.b(x) + self.c(x)


def case():
    """Network, plan, batches, table of single tensors and problem: weights of 2 or 8 bits."""
    net = Cancelling().eval()
    images = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    batches = [(images, net(images).argmax(1))]
    scheme = Scheme(TensorSpec(), TensorSpec(format="float"), first_last="same")
    plan = make_plan(net, scheme, images)
    table = sensitivities(net, plan, batches, ["output_sqnr"], WIDTHS, slots=["weight"])
    single = table["output_sqnr"]
    problem = make_problem(single.harms(), plan, network_costs(net, plan, images))
    return net, plan, batches, single, problem


@torch.no_grad()
def noise(net, plan, batches, bits):
    """Noise power by signal power of the network converted with a plan."""
    [(images, _)] = batches
    qnet = quantize(net, apply_bits(plan, bits))
    calibrate(qnet, [images])
    reference = net(images).double()
    error = (qnet.eval()(images).double() - reference).square().sum()
    return float(error / reference.square().sum())


def every_plan():
    return [dict(zip(SLOTS, widths, strict=True)) for widths in itertools.product(WIDTHS, repeat=3)]
