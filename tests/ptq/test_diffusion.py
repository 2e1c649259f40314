import numpy as np
import torch

from qat.ptq import diffusion
from qat.ptq.diffusion import ColumnOrder, damped, diffuse, inverse_root
from tests.ptq.rounding_problems import Problem


def test_the_root_is_upper_triangular_and_its_square_the_inverse():
    hessian = Problem(0).hessian
    root = inverse_root(hessian, 0.01)
    assert torch.equal(root, root.triu())
    torch.testing.assert_close(root.mT @ root, torch.linalg.inv(damped(hessian, 0.01)))


def test_damping_is_a_fraction_of_the_mean_diagonal_and_dead_inputs_get_the_mean():
    hessian = torch.diag_embed(torch.tensor([[4.0, 2.0, 0.0]], dtype=torch.double))
    assert damped(hessian, 0.5)[0].diagonal().tolist() == [5.0, 3.0, 2.0]
    assert damped(torch.zeros(1, 2, 2), 0.5)[0].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_singular_matrix_gets_more_damping():
    root = inverse_root(torch.ones(1, 3, 3, dtype=torch.double), 0.0)
    assert bool(torch.isfinite(root).all())


def test_orders_sort_and_restore():
    hessian = torch.diag_embed(torch.tensor([[1.0, 3.0, 2.0]]))
    order = ColumnOrder.of(hessian, True)
    assert order.order.tolist() == [[1, 2, 0]]
    matrix = torch.tensor([[[1.0, 2.0, 3.0]]])
    assert order.columns(matrix).tolist() == [[[2.0, 3.0, 1.0]]]
    assert torch.equal(order.undo(order.columns(matrix)), matrix)
    assert order.square(hessian)[0].diagonal().tolist() == [3.0, 2.0, 1.0]
    assert ColumnOrder.of(hessian, False).order.tolist() == [[0, 1, 2]]


def test_blocks_change_nothing(monkeypatch):
    problem = Problem(1, columns=9, samples=40)
    order = ColumnOrder.of(problem.hessian, False)
    root = inverse_root(problem.hessian, 0.01)
    whole = diffuse(problem.weight.clone(), root, problem.grid, order)
    monkeypatch.setattr(diffusion, "BLOCK", 2)
    assert torch.equal(diffuse(problem.weight.clone(), root, problem.grid, order), whole)
    assert len(np.unique(whole)) > 1
