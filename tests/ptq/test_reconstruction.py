"""The optimisation, against the best of all roundings."""

import itertools

import numpy as np
import pytest
import torch

from qat.base.errors import InputError
from qat.core.grid import IntGrid
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.ptq.reconstruction import (
    Effort,
    channel_axis,
    generator_of,
    reconstruct,
    squared_error,
)
from qat.ptq.soft_rounding import SoftRounding

QPARAMS = QParams(torch.tensor([0.5]), torch.zeros(1), IntGrid(4, signed=True), Layout())


class Problem:
    """One output of six correlated inputs, whose best rounding is not the nearest."""

    def __init__(self):
        generator = torch.Generator().manual_seed(26)
        self.x = torch.randn(64, 6, generator=generator) + 2
        self.weight = torch.rand(1, 6, generator=generator) * 2 - 1
        self.soft = SoftRounding(self.weight, QPARAMS)

    def loss(self, chosen, _):
        x = self.x[chosen]
        return squared_error(x @ self.soft(self.weight).T, x @ self.weight.T, axis=1)

    def error(self, codes):
        difference = self.x @ (torch.as_tensor(codes).reshape(1, 6) * 0.5 - self.weight).T
        return float(difference.square().mean())

    def best(self):
        floor = torch.floor(self.weight / 0.5).flatten().tolist()
        ups = itertools.product([0, 1], repeat=6)
        return min(self.error([f + u for f, u in zip(floor, up, strict=True)]) for up in ups)


EFFORT = Effort(iterations=400, learning_rate=3e-2, strength=1.0)


def test_finds_the_best_of_all_roundings():
    problem = Problem()
    nearest = problem.error(problem.soft.codes())
    result = reconstruct(problem.loss, [problem.soft], EFFORT, images=64, seed=1)
    assert problem.error(problem.soft.codes()) == pytest.approx(problem.best())
    assert problem.best() < nearest / 2
    assert result.undecided == 0


def test_repeats_bit_for_bit_and_depends_on_the_seed():
    runs = []
    for seed in (1, 1, 2):
        problem = Problem()
        reconstruct(problem.loss, [problem.soft], Effort(50), images=64, seed=seed)
        torch.rand(seed)  # the state of the global generator has no influence
        runs.append(problem.soft.logits.detach())
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_stops_when_nothing_can_change_any_more():
    problem = Problem()
    effort = Effort(5000, learning_rate=0.1, warm_up=0, strength=10, first_beta=2)
    result = reconstruct(problem.loss, [problem.soft], effort, images=64, seed=0)
    assert result.iterations < 1000
    assert (result.iterations % 100, result.undecided) == (0, 0)


def test_learned_steps_have_their_own_rate_and_no_early_stop():
    problem, step = Problem(), torch.nn.Parameter(torch.tensor(1.0))
    effort = Effort(3, step_learning_rate=0.5)
    result = reconstruct(
        lambda chosen, i: problem.loss(chosen, i) + step, [problem.soft], effort, 64, 0, [step]
    )
    assert step.item() == pytest.approx(-0.5)  # Adam's first steps are of the size of the rate
    assert result.iterations == 3


def test_batches_are_functions_of_seed_and_iteration():
    def draw(seed, iteration):
        return torch.rand(3, generator=generator_of(seed, iteration)).tolist()

    assert draw(1, 2) == draw(1, 2)
    assert len({tuple(draw(seed, i)) for seed in (0, 1) for i in range(5)}) == 10


@pytest.mark.parametrize("images", [5, 32])
def test_a_batch_has_no_image_twice(images):
    seen = []
    problem = Problem()

    def loss(chosen, iteration):
        seen.append(chosen.tolist())
        return problem.loss(chosen, iteration)

    reconstruct(loss, [problem.soft], Effort(4, batch_size=8), images, seed=0)
    assert all(len(set(batch)) == len(batch) == min(8, images) for batch in seen)


def test_squared_error_sums_channels_and_averages_the_rest():
    output = torch.arange(24.0).reshape(2, 3, 2, 2).requires_grad_()
    error = squared_error(output, torch.zeros(2, 3, 2, 2), axis=1)
    values = np.arange(24.0).reshape(2, 3, 2, 2)
    assert error.item() == pytest.approx((values**2).sum(axis=1).mean(), rel=1e-6)
    error.backward()
    assert np.allclose(output.grad.numpy(), 2 * values / 8)


def test_the_gradient_keeps_the_memory_format():
    output = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last).requires_grad_()
    squared_error(output, torch.zeros_like(output), axis=1).backward()
    assert output.grad.is_contiguous(memory_format=torch.channels_last)


def test_the_channels_of_tokens_are_the_last_axis():
    shapes = [(2, 3), (2, 3, 4), (2, 3, 4, 5)]
    assert [channel_axis(torch.zeros(shape)) for shape in shapes] == [1, 2, 1]


@pytest.mark.parametrize(
    ("field", "value"), [("iterations", 0), ("batch_size", 0), ("learning_rate", 0), ("warm_up", 1)]
)
def test_values_out_of_range_are_refused(field, value):
    with pytest.raises(InputError, match=field):
        Effort(**{"iterations": 10, field: value})
