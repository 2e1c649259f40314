"""The quadratic form, against sums by hand and against numpy."""

import itertools

import numpy as np
import pytest

from qat.allocate.costs import NetworkCosts
from qat.allocate.paired import (
    harm_matrix,
    paired,
    positive_semidefinite,
    relatively_positive_semidefinite,
)
from qat.allocate.problem import Problem, Variable

A, B, C = ((name, "weight") for name in "abc")


def problem_of(*harms):
    variables = [Variable((slot,), own) for slot, own in zip((A, B, C), harms, strict=False)]
    return Problem(tuple(variables), NetworkCosts(()))


def test_the_matrix_by_hand():
    problem = problem_of({2: 3.0, 8: 1.0}, {2: 5.0, 8: 0.0})
    columns = [(0, 2), (0, 8), (1, 2), (1, 8)]
    matrix = harm_matrix(problem, columns, {(A, 2, B, 2): -4.0, (B, 8, A, 8): 2.0})
    assert matrix.tolist() == [[3, 0, -2, 0], [0, 1, 0, 1], [-2, 0, 5, 0], [0, 1, 0, 0]]


def test_without_the_projection_a_pair_costs_what_was_measured():
    problem = problem_of({2: 3.0, 8: 1.0}, {2: 5.0, 8: 0.0})
    both = paired(problem, {(A, 2, B, 2): -4.0, (A, 8, B, 8): 2.0}, psd="none")
    harms = {(a, b): both.harm({A: a, B: b}) for a in (2, 8) for b in (2, 8)}
    assert harms == {(2, 2): 4.0, (2, 8): 3.0, (8, 2): 6.0, (8, 8): 3.0}


def test_tensors_that_share_a_width_are_one_term():
    problem = Problem(
        (Variable((A, B), {2: 8.0, 8: 1.0}), Variable((C,), {2: 1.0})), NetworkCosts(())
    )
    terms = {(A, 2, B, 2): -4.0, (A, 2, B, 8): 9.0, (A, 8, C, 2): 2.0, (B, 8, C, 2): 3.0}
    both = paired(problem, terms, psd="none")
    assert both.harm({A: 2, B: 2, C: 2}) == 5.0
    assert both.harm({A: 8, B: 8, C: 2}) == 7.0


def test_pairs_of_what_is_not_chosen_are_left_out():
    both = paired(
        problem_of({2: 1.0}, {2: 1.0}), {(A, 4, B, 2): 9.0, (A, 2, C, 2): 9.0}, psd="none"
    )
    assert both.harm({A: 2, B: 2}) == 2.0


def test_the_harm_is_the_quadratic_form_of_the_projected_matrix():
    random = np.random.default_rng(0)
    problem = problem_of(*({2: random.normal(), 4: random.normal(), 8: 0.1} for _ in "abc"))
    terms = {
        (one, a, other, b): float(random.normal())
        for one, other in itertools.combinations((A, B, C), 2)
        for a in (2, 4, 8)
        for b in (2, 4, 8)
    }
    columns = [(v, width) for v in range(3) for width in (2, 4, 8)]
    matrix = harm_matrix(problem, columns, terms)
    values, vectors = np.linalg.eigh(matrix)
    assert values.min() < 0
    kept = sum(e * np.outer(q, q) for e, q in zip(values, vectors.T, strict=True) if e > 0)
    both = paired(problem, terms, psd="absolute")
    for widths in itertools.product((2, 4, 8), repeat=3):
        x = np.array([float(widths[v] == width) for v, width in columns])
        assert both.harm(dict(zip((A, B, C), widths, strict=True))) == pytest.approx(x @ kept @ x)


@pytest.mark.parametrize("project", [positive_semidefinite, relatively_positive_semidefinite])
def test_a_positive_semidefinite_matrix_stays(project):
    matrix = np.array([[2.0, -2.0], [-2.0, 2.0]])
    assert project(matrix) == pytest.approx(matrix)
    assert np.linalg.eigvalsh(positive_semidefinite(matrix - np.eye(2))).min() > -1e-12


def test_large_harms_do_not_move_small_ones():
    """Each entry is projected on the scale of its tensors: other units give the same result."""
    random = np.random.default_rng(1)
    shares = np.clip(random.normal(size=(6, 6)), -0.9, 0.9)
    shares = np.triu(shares, 1) + np.triu(shares, 1).T + np.eye(6)
    assert np.linalg.eigvalsh(shares).min() < -0.1
    units = np.array([10.0, 5.0, 2.0, 1e-2, 1e-3, 1e-4])
    expected = np.outer(units, units) * positive_semidefinite(shares)
    found = relatively_positive_semidefinite(np.outer(units, units) * shares)
    assert found == pytest.approx(expected, rel=1e-9)
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_pairs_of_a_tensor_without_harm_count_nothing():
    matrix = np.array([[4.0, 1.0, 0.5], [1.0, 0.0, -3.0], [0.5, -3.0, -2.0]])
    expected = np.zeros((3, 3))
    expected[0, 0] = 4.0
    assert relatively_positive_semidefinite(matrix) == pytest.approx(expected)
