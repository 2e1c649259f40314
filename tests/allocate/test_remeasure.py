"""Measuring around the plan, judged by enumeration of every plan."""

import math

import pytest

from qat.allocate.budget import Budgets, UnmeetableBudgetError, overruns
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import Problem, Variable
from qat.allocate.remeasure import remeasure
from qat.sensitivity.around import PlanScores
from qat.sensitivity.metrics import OUTPUT_SQNR
from qat.sensitivity.single_quantizer import fit_quantizers
from tests.allocate import cancelling
from tests.allocate.test_clado import with_random_pairs
from tests.allocate.test_ilp import random_budgets, random_problem


def neighbours(problem, harm):
    def around(bits):
        return {
            v.slots[0]: {w: harm({**bits, **dict.fromkeys(v.slots, w)}) for w in v.widths}
            for v in problem.variables
        }

    return around


def best_and_rounds(*args, **options):
    rounds = []
    bits = remeasure(*args, **options, report=rounds.append)
    assert rounds[-1].bits == bits
    return bits, rounds


def test_is_never_worse_than_where_it_starts_and_within_the_budgets(all_plans):
    better = best = met = 0
    for seed in range(60):
        problem = random_problem(seed)
        truth = with_random_pairs(problem, seed, psd="none")
        budgets = random_budgets(problem, list(all_plans(problem)), seed)
        fitting = [b for b, _ in all_plans(problem) if not overruns(problem.costs, b, budgets)]
        around = neighbours(problem, truth.harm)
        if not fitting:
            with pytest.raises(UnmeetableBudgetError):
                remeasure(problem, budgets, truth.harm, around)
            continue
        bits, done = best_and_rounds(problem, budgets, truth.harm, around, rounds=8)
        start = truth.harm(solve_ilp(problem, budgets))
        harm = truth.harm(bits)
        assert not overruns(problem.costs, bits, budgets)
        assert done[-1].harm == harm <= start
        assert harm == min(harm for each in done for _, harm in each.plans)
        assert [each.harm for each in done] == sorted((e.harm for e in done), reverse=True)
        met += 1
        better += harm < start
        best += harm == pytest.approx(min(map(truth.harm, fitting)))
    assert better > met / 4
    assert best > met / 2


def test_errors_that_cancel_are_found():
    net, plan, batches, _, problem = cancelling.case()
    budgets = Budgets(average_weight_bits=4)  # two of three weights at 2 bits
    images = [batch for batch, _ in batches]
    scores = PlanScores(
        fit_quantizers(net, plan, cancelling.WIDTHS, images), plan, OUTPUT_SQNR, batches
    )

    def harm(bits):
        return 10 ** (-scores.score(bits) / 10)

    bits, done = best_and_rounds(problem, budgets, harm, neighbours(problem, harm))
    noise = {
        tuple(bits.values()): cancelling.noise(net, plan, batches, bits)
        for bits in cancelling.every_plan()
    }
    best = min((widths for widths in noise if sum(widths) <= 12), key=noise.__getitem__)
    assert tuple(bits.values()) == best
    assert noise[tuple(solve_ilp(problem, budgets).values())] > 5 * noise[best]
    assert done[-1].harm == pytest.approx(noise[best], rel=1e-4, abs=1e-9)


def test_a_plan_that_stays_is_measured_around_once(two_layers):
    calls = []

    def around(bits):
        calls.append(bits)
        return neighbours(two_layers, two_layers.harm)(bits)

    budgets = Budgets(weight_bytes=150)
    bits, done = best_and_rounds(two_layers, budgets, two_layers.harm, around, rounds=4)
    assert len(calls) == 1
    assert [len(each.plans) for each in done] == [1, 0]  # the plan to begin with; the round
    assert bits == solve_ilp(two_layers, budgets)


def test_the_limit_of_rounds_holds_and_the_start_may_be_another_plan(two_layers):
    slots = [v.slots[0] for v in two_layers.variables]

    def harm(bits):
        return 0.0 if tuple(bits.values()) == (4, 4) else 1.0

    over = dict(zip(slots, (8, 8), strict=True))
    other = dict(zip(slots, (4, 4), strict=True))
    unknown = dict(zip(slots, (3, 3), strict=True))
    words = {"rounds": 1, "start": [over, unknown, other]}
    around = neighbours(two_layers, harm)
    bits, done = best_and_rounds(two_layers, Budgets(weight_bytes=150), harm, around, **words)
    assert (bits, done[-1].harm, len(done)) == (other, 0.0, 2)
    assert over not in [bits for each in done for bits, _ in each.plans]


def test_a_sum_that_is_wrong_far_away_is_tried_nearer(all_plans):
    """Six variables gain alone; together they lose, except three of them."""
    names = "abcdef"
    costs = NetworkCosts(tuple(LayerFigures(name, 8, 8, 8, 8) for name in names))
    variables = tuple(Variable(((n, "weight"),), {2: 0.0, 8: 1.0}) for n in names)
    problem = Problem(variables, costs)

    def harm(bits):
        changed = sum(width == 8 for width in bits.values())
        return float(-changed if changed <= 3 else changed)

    bits = remeasure(problem, Budgets(weight_bytes=48), harm, neighbours(problem, harm), rounds=3)
    assert harm(bits) == min(harm(bits) for bits, _ in all_plans(problem)) == -3
    assert bits != problem.narrowest()


def test_bad_input(two_layers):
    budgets = Budgets(weight_bytes=150)
    around = neighbours(two_layers, two_layers.harm)
    with pytest.raises(ValueError, match="rounds must be 1 or more, got 0"):
        remeasure(two_layers, budgets, two_layers.harm, around, rounds=0)
    with pytest.raises(ValueError, match="measured harm of a plan is NaN"):
        remeasure(two_layers, budgets, lambda bits: math.nan, around)
