from itertools import pairwise

import numpy as np
import pytest
import torch

from qat.ptq.comq import comq_codes
from qat.ptq.weight_grid import AffineGrid
from tests.ptq.rounding_problems import Problem, assert_better_than_nearest


def coordinate_sweeps(problem, sweeps, greedy, update_scale):
    """The paper's updates with samples instead of moments, one row after the other."""
    x, codes, scales = problem.quantized_x, np.zeros_like(problem.w), []
    for row, w in enumerate(problem.w):
        scale, c = problem.scale, w / problem.scale
        sizes = np.abs(w) * np.linalg.norm(x, axis=0)
        order = np.argsort(-sizes, kind="stable") if greedy else np.arange(len(w))
        for _ in range(sweeps):
            for i in order:
                others = x @ w - scale * np.delete(x, i, axis=1) @ np.delete(c, i)
                best = x[:, i] @ others / (scale * x[:, i] @ x[:, i])
                c[i] = np.clip(np.rint(best), problem.low, problem.high)
            if update_scale and np.any(c):
                fitted = float((x @ c) @ (x @ w) / np.square(x @ c).sum())
                scale = fitted if fitted > 0 else scale
        codes[row] = c
        scales.append(scale)
    return codes, np.array(scales)


@pytest.mark.parametrize("greedy", [False, True])
@pytest.mark.parametrize("update_scale", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_codes_and_scales_are_those_of_the_samples(seed, greedy, update_scale):
    problem = Problem(seed, columns=7, samples=30)
    codes, grid = comq_codes(
        problem.weight,
        problem.hessian,
        problem.grid,
        sweeps=3,
        greedy=greedy,
        update_scale=update_scale,
    )
    expected, scales = coordinate_sweeps(problem, 3, greedy, update_scale)
    np.testing.assert_array_equal(codes[0], expected)
    np.testing.assert_allclose(grid.scales((3,)), scales, rtol=1e-9)


def test_two_columns_by_hand():
    # After 0.6 became 1 the gradient of the second column is -0.4: 0.6 - 0.4 / 2 = 0.4 becomes 0.
    # Then the scale of code (1, 0) is <X c, X w> / <X c, X c> = (2 * 0.6 + 0.6) / 2 = 0.9.
    hessian = torch.tensor([[[2.0, 1.0], [1.0, 2.0]]], dtype=torch.double)
    one = torch.ones(1, 1, 2, dtype=torch.double)
    grid = AffineGrid(one, torch.zeros_like(one), -4, 3)
    codes, grid = comq_codes(0.6 * one, hessian, grid, sweeps=1, greedy=False, update_scale=True)
    assert codes.tolist() == [[[1.0, 0.0]]]
    assert grid.scale[0, 0].tolist() == pytest.approx([0.9, 0.9])


def test_errors_are_below_those_of_nearest():
    assert_better_than_nearest(
        lambda p: comq_codes(
            p.weight, p.hessian, p.grid, sweeps=3, greedy=True, update_scale=False
        )[0]
    )


@pytest.mark.parametrize(("parts", "shared"), [(1, False), (3, False), (1, True)])
def test_the_error_falls_with_every_sweep_whatever_shares_a_scale(parts, shared):
    problem = Problem(5, columns=6, samples=40)
    grid = AffineGrid(
        problem.grid.scale, problem.grid.zero_point + 1, 0, 3, parts=parts, shared=shared
    )
    errors = []
    for sweeps in range(1, 6):
        codes, own = comq_codes(
            problem.weight, problem.hessian, grid, sweeps=sweeps, greedy=True, update_scale=True
        )
        change = own.scale * (codes - own.zero_point) - problem.weight
        errors.append(float((change @ problem.hessian * change).sum()))
        slices = 1 if shared else 3 * parts
        assert len(own.scale.unique()) <= slices
    assert all(later <= before + 1e-12 for before, later in pairwise(errors))
