import numpy as np
import pytest
import torch

from qat.ptq.gpfq import gpfq_codes
from qat.ptq.weight_grid import AffineGrid
from tests.ptq.rounding_problems import Problem, assert_better_than_nearest


def paths(problem, order):
    """The two paths of the paper, with the state ``u`` as long as there are samples."""
    codes = np.zeros_like(problem.w)
    for row, w in enumerate(problem.w):
        u = np.zeros(len(problem.x))
        for t in order:
            own = problem.quantized_x[:, t]
            wanted = u + w[t] * problem.x[:, t]
            codes[row, t] = problem.nearest(own @ wanted / (own @ own))
            u = wanted - codes[row, t] * problem.scale * own
    return codes


@pytest.mark.parametrize("act_order", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_codes_follow_the_path_of_the_samples(seed, act_order):
    problem = Problem(seed, columns=7, samples=30)
    diagonal = np.diag(problem.hessian[0].numpy())
    order = np.argsort(-diagonal, kind="stable") if act_order else np.arange(7)
    codes = gpfq_codes(
        problem.weight, problem.hessian, problem.cross, problem.grid, act_order=act_order
    )
    np.testing.assert_array_equal(codes[0], paths(problem, order))


def test_two_columns_by_hand():
    # Columns (1, 0), (1, 1): 0.6 becomes 1, u = (-0.4, 0); then (-0.4 + 1.2) / 2 = 0.4 becomes 0.
    hessian = torch.tensor([[[1.0, 1.0], [1.0, 2.0]]], dtype=torch.double)
    one = torch.ones(1, 1, 2, dtype=torch.double)
    grid = AffineGrid(one, torch.zeros_like(one), -4, 3)
    codes = gpfq_codes(0.6 * one, hessian, hessian, grid, act_order=False)
    assert codes.tolist() == [[[1.0, 0.0]]]


def test_errors_against_the_float_network_are_below_those_of_nearest():
    assert_better_than_nearest(
        lambda p: gpfq_codes(p.weight, p.hessian, p.cross, p.grid, act_order=False),
        against_float=True,
    )


def test_an_input_that_is_always_zero_is_rounded_to_nearest():
    problem = Problem(0)
    problem.quantized_x[:, 1] = 0
    codes = gpfq_codes(
        problem.weight, problem.hessian, problem.cross, problem.grid, act_order=False
    )
    np.testing.assert_array_equal(codes[0, :, 1], problem.nearest(problem.w[:, 1]))
