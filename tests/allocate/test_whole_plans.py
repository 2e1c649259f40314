"""Plans that are measured as a whole."""

import math

import pytest

from qat.allocate.budget import Budgets
from qat.allocate.whole_plans import allowed_plans, checked_harm, less_harmful

A, B = ("a", "weight"), ("b", "weight")


def test_plans_beyond_the_budget_or_the_candidates_are_left_out(two_layers):
    narrow, other = {A: 2, B: 2}, ("c", "weight")
    plans = [{A: 8, B: 8}, {A: 3, B: 2}, {A: 2}, {**narrow, other: 5}]
    assert list(allowed_plans(two_layers, Budgets(weight_bytes=150), plans)) == [narrow]


def test_the_least_harm_of_all_counts():
    harms = {2: 3.0, 4: 1.0, 8: 2.0}
    found = less_harmful({A: 2}, [{A: 8}, {A: 4}], lambda bits: harms[bits[A]])
    assert found == ({A: 4}, 1.0, 3.0)


def test_a_plan_stays_if_others_do_as_much():
    assert less_harmful({A: 2}, [{A: 8}], lambda bits: 1.0) == ({A: 2}, 1.0, 1.0)


def test_a_harm_that_is_nan_is_refused():
    assert checked_harm(math.inf) == math.inf
    with pytest.raises(ValueError, match="the measured harm of a plan is NaN"):
        less_harmful({A: 2}, [{A: 8}], lambda bits: math.nan if bits[A] == 8 else 1.0)
