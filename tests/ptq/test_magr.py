import numpy as np
import pytest
import torch

from qat.ptq.magr import prox_of_maximum, reduced
from qat.ptq.weight_grid import AffineGrid
from tests.ptq.rounding_problems import Problem


def project_on_l1_ball(v):
    """Duchi et al. 2008, by bisection on the amount that all magnitudes lose."""
    if np.abs(v).sum() <= 1:
        return v
    low, high = 0.0, np.abs(v).max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(abs(v) - middle, 0).sum() > 1 else (low, middle)
    return np.sign(v) * np.maximum(np.abs(v) - low, 0)


@pytest.mark.parametrize("threshold", [0.01, 0.5, 3.0, 100.0])
def test_the_prox_is_the_identity_minus_the_projection(threshold):
    v = np.random.default_rng(0).normal(size=(4, 9))
    expected = [row - threshold * project_on_l1_ball(row / threshold) for row in v]
    own = prox_of_maximum(torch.from_numpy(v), torch.full((4, 1), threshold).double())
    np.testing.assert_allclose(own, expected, atol=1e-9)


def test_without_a_threshold_nothing_changes():
    v = torch.tensor([[1.0, -3.0, 2.0], [0.0, 0.0, 0.0]])
    assert torch.equal(prox_of_maximum(v, torch.zeros(2, 1)), v)


def objective(problem, w, row, penalty):
    change = w - problem.w[row]
    h = problem.hessian[0].numpy()
    return 0.5 * change @ h @ change + penalty * np.abs(w).max()


@pytest.mark.parametrize("alpha", [0.01, 0.1])
def test_the_descent_reaches_the_least_objective(alpha):
    problem = Problem(0, columns=6, samples=40)
    own = reduced(problem.weight, problem.hessian, problem.grid, alpha=alpha, iterations=3000)[0]
    largest = np.linalg.eigvalsh(problem.hessian[0].numpy())[-1]
    rng = np.random.default_rng(1)
    for row in range(3):
        penalty = largest * alpha * np.sqrt(np.square(problem.w[row]).mean())
        least = objective(problem, own[row].numpy(), row, penalty)
        assert least < objective(problem, problem.w[row], row, penalty)
        assert abs(own[row]).max() < np.abs(problem.w[row]).max()
        for size in (1e-4, 1e-2, 0.3):  # convex, so no neighbour may be better
            near = own[row].numpy() + size * rng.normal(size=(50, 6))
            assert min(objective(problem, w, row, penalty) for w in near) > least - 1e-5 * penalty


def test_one_scale_for_all_has_one_maximum():
    weight = torch.tensor([[[1.0, 0.1], [0.9, 0.2]]], dtype=torch.double)
    hessian = torch.eye(2, dtype=torch.double).unsqueeze(0)
    scale = torch.ones_like(weight)
    grid = AffineGrid(scale, torch.zeros_like(scale), -2, 1, shared=True)
    size = float(weight.square().mean().sqrt())
    # H is the identity, so each step starts at the weights: 1.0 and 0.9 lose 0.3 in all.
    own = reduced(weight, hessian, grid, alpha=0.3 / size, iterations=5)
    assert own.reshape(-1).tolist() == pytest.approx([0.8, 0.1, 0.8, 0.2])
