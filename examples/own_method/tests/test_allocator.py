"""The allocator, against sums by hand."""

import pytest
from own_method.allocator import worst_first

import qat
from qat.extend import Budgets, LayerFigures, NetworkCosts, Problem, Variable

COSTS = NetworkCosts(tuple(LayerFigures(name, 100, 100, 8, 8) for name in "ab"))
HARMS = (
    Variable((("a", "weight"),), {2: 9.0, 4: 2.0, 8: 1.0}),
    Variable((("b", "weight"),), {2: 3.0, 4: 1.5, 8: 0.0}),
)


@pytest.mark.parametrize(
    ("weight_bytes", "bits"),
    [(50, (2, 2)), (75, (4, 2)), (100, (4, 4)), (149, (4, 4)), (150, (8, 4)), (200, (8, 8))],
)
def test_the_worst_tensor_grows_first(weight_bytes, bits):
    """By hand: a (9) to 4 bits, b (3) to 4, a (2) to 8, b (1.5) to 8; 25 or 50 bytes a step."""
    chosen = worst_first(Problem(HARMS, COSTS), Budgets(weight_bytes=weight_bytes))
    assert tuple(chosen.values()) == bits


def test_no_tensor_gets_more_bits_than_the_widest():
    assert set(worst_first(Problem(HARMS, COSTS), None, widest=4).values()) == {4}


def test_it_meets_what_qat_requires_of_allocators():
    assert qat.check_allocator("own_method.allocator:worst_first").method == "worst_first"
