"""Many roundings in one step of the gradient graph."""

import torch

from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.rounding import rounded, straight_through
from qat.core.rounding_many import all_rounded
from qat.core.scheme import TensorSpec
from qat.quantizers.lsq import LSQQuantizer

SHAPES = ((4, 3, 3, 3), (2, 5))


def quantizers():
    for index, shape in enumerate(SHAPES):
        layout = Layout.of_weight("channel", shape)
        quantizer = LSQQuantizer(TensorSpec(bits=3, signed=True, granularity="channel"), layout)
        quantizer.set_qparams(torch.full(layout.shape, 0.2 + index), torch.zeros(layout.shape))
        quantizer.step.data[0] *= -1  # its magnitude counts
        yield quantizer


def weights():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, requires_grad=True) for shape in SHAPES]


def test_values_and_gradients_are_those_of_one_at_a_time():
    results = []
    for together in (False, True):
        xs, owners = weights(), list(quantizers())
        roundings = [owner.rounding(x) for owner, x in zip(owners, xs, strict=True)]
        ys = all_rounded(xs, roundings) if together else map(rounded, xs, roundings)
        ys = list(ys)
        sum((index + 1) * y.square().sum() for index, y in enumerate(ys)).backward()
        steps = [owner.step.grad for owner in owners]
        results.append([*ys, *(x.grad for x in xs), *steps])
    for alone, shared in zip(*results, strict=True):
        assert torch.equal(alone, shared)
    assert bool(results[0][-1].any())


def test_a_result_that_nothing_reads_gets_no_gradient():
    xs = weights()
    qparams = [
        QParams(torch.full((1,), 9.0), torch.zeros(1), q.grid, Layout()) for q in quantizers()
    ]
    first, _ = all_rounded(xs, [straight_through(each) for each in qparams])
    first.sum().backward()
    assert torch.equal(xs[0].grad, torch.ones(SHAPES[0]))
    assert xs[1].grad is None
