import numpy as np
import pytest
import torch

from qat.ptq.gptq import gptq_codes
from qat.ptq.qronos import qronos_codes
from qat.ptq.weight_grid import AffineGrid
from tests.ptq.rounding_problems import Problem, assert_better_than_nearest


def by_definition(problem, order):
    """Try every value for each column, then solve for the later columns by least squares."""
    own, codes = problem.quantized_x, np.zeros_like(problem.w)
    values = np.arange(problem.low, problem.high + 1) * problem.scale
    for row in range(len(problem.w)):
        v, target = problem.w[row].copy(), problem.x @ problem.w[row]
        for place, t in enumerate(order):
            later = order[place + 1 :]
            others = target - np.delete(own, t, axis=1) @ np.delete(v, t)
            errors = [np.square(others - value * own[:, t]).sum() for value in values]
            v[t] = values[int(np.argmin(errors))]
            done = order[: place + 1]
            rest = target - own[:, done] @ v[done]
            v[later] = np.linalg.lstsq(own[:, later], rest, rcond=None)[0]
        codes[row] = np.rint(v / problem.scale)
    return codes


@pytest.mark.parametrize("act_order", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_codes_are_those_of_the_definition(seed, act_order):
    problem = Problem(seed, columns=6, samples=30)
    diagonal = np.diag(problem.hessian[0].numpy())
    order = np.argsort(-diagonal, kind="stable") if act_order else np.arange(6)
    codes = qronos_codes(
        problem.weight,
        problem.hessian,
        problem.cross,
        problem.grid,
        damping=0.0,
        act_order=act_order,
    )
    np.testing.assert_array_equal(codes[0], by_definition(problem, order))


def test_two_columns_by_hand():
    # H = [[1, 1], [1, 2]], G = 2 H, w = (0.6, 0.6): the first code rounds 2 * 1.2 - 0.6 = 1.8 to 2;
    # the second weight is (2 * 1.8 - 2) / 2 = 0.8, which becomes 1.
    hessian = torch.tensor([[[1.0, 1.0], [1.0, 2.0]]], dtype=torch.double)
    one = torch.ones(1, 1, 2, dtype=torch.double)
    grid = AffineGrid(one, torch.zeros_like(one), -4, 3)
    codes = qronos_codes(0.6 * one, hessian, 2 * hessian, grid, damping=0.0, act_order=False)
    assert codes.tolist() == [[[2.0, 1.0]]]


@pytest.mark.parametrize("seed", range(3))
def test_with_equal_inputs_it_is_gptq(seed):
    problem = Problem(seed, columns=6, samples=30)
    terms = {"damping": 0.05, "act_order": True}
    ours = qronos_codes(problem.weight, problem.hessian, problem.hessian, problem.grid, **terms)
    assert torch.equal(ours, gptq_codes(problem.weight, problem.hessian, problem.grid, **terms))


def test_errors_against_the_float_network_are_below_those_of_nearest():
    assert_better_than_nearest(
        lambda p: qronos_codes(p.weight, p.hessian, p.cross, p.grid, damping=1e-6, act_order=True),
        against_float=True,
    )
