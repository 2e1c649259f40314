import numpy as np
import pytest
import torch

from qat.ptq.gptq import gptq_codes
from qat.ptq.weight_grid import AffineGrid
from tests.ptq.rounding_problems import Problem, assert_better_than_nearest


def brain_surgeon(problem, damping, order):
    """Equations 2 and 3 of the paper with the inverse of the columns that remain."""
    h = problem.hessian[0].numpy()
    h = h + damping * np.mean(np.diag(h)) * np.eye(len(h))
    codes = np.zeros_like(problem.w)
    for row, weight in enumerate(problem.w):
        w = weight.copy()
        for place, j in enumerate(order):
            left = list(order[place:])
            inverse = np.linalg.inv(h[np.ix_(left, left)])
            codes[row, j] = problem.nearest(w[j])
            error = w[j] - codes[row, j] * problem.scale
            w[left] -= error / inverse[0, 0] * inverse[0]
    return codes


@pytest.mark.parametrize("act_order", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_codes_are_those_of_the_optimal_brain_surgeon(seed, act_order):
    problem = Problem(seed, columns=7, samples=30)
    diagonal = np.diag(problem.hessian[0].numpy())
    order = np.argsort(-diagonal, kind="stable") if act_order else np.arange(7)
    codes = gptq_codes(
        problem.weight, problem.hessian, problem.grid, damping=0.01, act_order=act_order
    )
    np.testing.assert_array_equal(codes[0], brain_surgeon(problem, 0.01, order))


def test_two_columns_by_hand():
    # Inverse of [[2, 1], [1, 2]] is [[2, -1], [-1, 2]] / 3. 0.6 becomes 1, an error of -0.4, and
    # the second weight 0.6 - 0.4 / 2 = 0.4, which becomes 0. Nearest would give 1, 1.
    hessian = torch.tensor([[[2.0, 1.0], [1.0, 2.0]]], dtype=torch.double)
    one = torch.ones(1, 1, 2, dtype=torch.double)
    grid = AffineGrid(one, torch.zeros_like(one), -4, 3)
    codes = gptq_codes(0.6 * one, hessian, grid, damping=0.0, act_order=False)
    assert codes.tolist() == [[[1.0, 0.0]]]


@pytest.mark.parametrize("act_order", [False, True])
def test_errors_are_below_those_of_nearest(act_order):
    assert_better_than_nearest(
        lambda p: gptq_codes(p.weight, p.hessian, p.grid, damping=0.01, act_order=act_order)
    )


def test_independent_inputs_are_rounded_to_nearest():
    problem = Problem(0)
    eye = torch.eye(4, dtype=torch.double).unsqueeze(0)
    codes = gptq_codes(problem.weight, eye, problem.grid, damping=0.01, act_order=True)
    np.testing.assert_array_equal(codes[0], problem.nearest(problem.w))


def test_an_input_that_is_always_zero_is_rounded_to_nearest():
    problem = Problem(0)
    problem.quantized_x[:, 1] = 0
    codes = gptq_codes(problem.weight, problem.hessian, problem.grid, damping=0.01, act_order=True)
    np.testing.assert_array_equal(codes[0, :, 1], problem.nearest(problem.w[:, 1]))
