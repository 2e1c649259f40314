"""The free widths, their costs, and the budgets."""

import pytest

from qat.allocate.budget import UnmeetableBudgetError
from qat.config.schema import RuleConfig
from qat.run.mixed.candidates import candidates, free_slots, run_budgets

ALL = [(name, "weight") for name in ("first", "second", "head")]


def test_first_and_last_layers_and_rules_are_not_free(make_choice):
    for changes, free in (
        ({}, ALL),
        ({"scheme__first_last": "8"}, ALL[1:2]),
        ({"scheme__rules": [RuleConfig("second", {"bits": 3})]}, [ALL[0], ALL[2]]),
        ({"scheme__rules": [RuleConfig("second", act={"bits": 3})]}, ALL),
    ):
        request, source = make_choice(**changes)
        choice = candidates(request, source)
        assert choice.free == free
        assert free_slots(request, source, choice.base) == free


def test_inputs_are_free_where_they_are_measured(make_choice):
    request, source = make_choice(
        sensitivity__slots=["weight", "act"], sensitivity__metric="output_kl"
    )
    assert {slot for _, slot in candidates(request, source).free} == {"weight", "act"}


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        ({}, {"weight_bytes": 132, "bops": 9228 * 16}),  # the scheme's own 4 bits
        ({"uniform_bits": 2}, {"weight_bytes": 66, "bops": 9228 * 2 * 4}),
        ({"uniform_bits": 2, "weight_bytes": 60}, {"weight_bytes": 60, "bops": 9228 * 2 * 4}),
        ({"average_weight_bits": 3}, {"average_weight_bits": 3}),
        ({"name": "threshold"}, None),
        ({"name": "threshold", "bops": 5}, {"bops": 5}),
    ],
)
def test_budgets(make_choice, changes, limits):
    choice = candidates(*make_choice())
    settings = make_choice(**{f"allocate__{key}": v for key, v in changes.items()})[0].allocate
    budgets = run_budgets(settings, choice.costs, choice.free)
    assert (None if budgets is None else budgets.named()) == limits


def test_a_budget_that_no_plan_meets_is_refused(make_choice):
    with pytest.raises(UnmeetableBudgetError, match="no plan meets the budget") as error:
        candidates(*make_choice(allocate__average_weight_bits=1.5))
    assert error.value.spent == {"average_weight_bits": 2}


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_a_plan_with_other_widths(make_choice, placement):
    request, source = make_choice(scheme__placement=placement)
    choice = candidates(request, source)
    bits = dict(zip(ALL, (2, 8, 4), strict=True))
    plan = choice.with_widths(bits)
    assert [plan.layers[name].weight.bits for name, _ in ALL] == [2, 8, 4]
    assert [plan.layers[name].act for name, _ in ALL] == [
        choice.base.layers[name].act for name, _ in ALL
    ]
    harms = {slot: {2: 3.0, 4: 2.0, 8: 1.0} for slot in ALL}
    assert choice.problem(harms).harm(bits) == 3 + 1 + 2
