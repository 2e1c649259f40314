"""CLADO against enumeration of every plan, and on a network whose errors cancel."""

import itertools

import numpy as np
import pytest

from qat.allocate import clado
from qat.allocate.budget import Budgets, UnmeetableBudgetError, overruns
from qat.allocate.clado import CladoWarning, solve_clado
from qat.allocate.ilp import Solution, solve_ilp
from qat.allocate.paired import paired
from qat.allocate.registry import PROJECTIONS
from qat.sensitivity.metrics import OUTPUT_SQNR
from qat.sensitivity.pair_scores import pair_sensitivities
from tests.allocate import cancelling
from tests.allocate.test_ilp import random_budgets, random_problem


def with_random_pairs(problem, seed, psd):
    random = np.random.default_rng(seed)
    slots = [(v.slots[0], v.widths) for v in problem.variables]
    terms = {
        (one, a, other, b): float(random.normal())
        for (one, widths), (other, others) in itertools.combinations(slots, 2)
        for a in widths
        for b in others
    }
    return paired(problem, terms, psd=psd)


@pytest.mark.parametrize("psd", PROJECTIONS)
def test_equals_enumeration_within_any_budget(psd, all_plans):
    met = better = 0
    for seed in range(60):
        problem = with_random_pairs(random_problem(seed), seed, psd)
        plans = [bits for bits, _ in all_plans(problem)]
        budgets = random_budgets(problem, list(all_plans(problem)), seed)
        fitting = [bits for bits in plans if not overruns(problem.costs, bits, budgets)]
        if not fitting:
            with pytest.raises(UnmeetableBudgetError):
                solve_clado(problem, budgets)
            continue
        bits = solve_clado(problem, budgets)
        assert not overruns(problem.costs, bits, budgets)
        least = min(map(problem.harm, fitting))
        assert problem.harm(bits) == pytest.approx(least, abs=1e-6)
        met += 1
        better += problem.harm(solve_ilp(random_problem(seed), budgets)) > least + 1e-6
    assert met > 25
    assert better > 5


def test_errors_that_cancel_are_seen_by_pairs_and_not_by_the_sum():
    net, plan, batches, single, problem = cancelling.case()
    budgets = Budgets(average_weight_bits=4)  # two of three weights at 2 bits
    slots = cancelling.SLOTS
    pairs = pair_sensitivities(net, plan, batches, [OUTPUT_SQNR], cancelling.WIDTHS, slots)
    both = paired(problem, pairs.interactions(single))
    measured = {
        tuple(bits.values()): cancelling.noise(net, plan, batches, bits)
        for bits in cancelling.every_plan()
    }
    fitting = {widths: noise for widths, noise in measured.items() if sum(widths) <= 12}
    best = min(fitting, key=fitting.__getitem__)
    assert best == (2, 2, 8)
    chosen = solve_clado(both, budgets)
    additive = solve_ilp(problem, budgets)
    assert tuple(chosen.values()) == best
    assert measured[tuple(additive.values())] > 5 * measured[best]
    as_measured = paired(problem, pairs.interactions(single), psd="none")
    for widths, noise in measured.items():  # noise powers of a linear network: the form is exact
        bits = dict(zip(slots, widths, strict=True))
        assert as_measured.harm(bits) == pytest.approx(noise, rel=1e-3, abs=1e-6)


def test_a_solver_that_ran_out_of_time_leaves_a_local_search(monkeypatch, two_layers):
    budgets = Budgets(weight_bytes=150)
    both = paired(two_layers, {(("a", "weight"), 2, ("b", "weight"), 4): -3.0}, psd="none")
    monkeypatch.setattr(clado, "least_harm", lambda *_, **__: Solution(None, proven=False))
    with pytest.warns(CladoWarning, match=r"stopped after 3 seconds; give it more by allocate\."):
        bits = solve_clado(both, budgets, seconds=3)
    plans = [{("a", "weight"): a, ("b", "weight"): b} for a in (2, 4, 8) for b in (2, 4, 8)]
    fitting = [plan for plan in plans if not overruns(both.costs, plan, budgets)]
    assert both.harm(bits) == min(map(both.harm, fitting))


def test_no_time_is_refused(two_layers):
    with pytest.raises(ValueError, match="seconds must be above 0, got 0"):
        solve_clado(two_layers, Budgets(weight_bytes=150), seconds=0)


def measured_as(harms):
    """A measurement of plans, and the plans that it was asked for."""
    asked = []

    def evaluate(bits):
        asked.append(tuple(bits.values()))
        return harms.get(asked[-1], 1.0)

    return evaluate, asked


EQUAL = [{("a", "weight"): width, ("b", "weight"): width} for width in (2, 4, 8)]


def test_a_plan_that_was_measured_to_do_more_harm_is_replaced(two_layers):
    budgets = Budgets(weight_bytes=150)
    chosen = tuple(solve_clado(two_layers, budgets).values())
    evaluate, asked = measured_as({(2, 2): 0.5, chosen: 0.75, (8, 8): 0.0})
    with pytest.warns(CladoWarning, match=r"more harm \(0\.75\) than a plan .* \(0\.5\)"):
        bits = solve_clado(two_layers, budgets, evaluate=evaluate, start=EQUAL)
    assert tuple(bits.values()) == (2, 2)
    fitting = [tuple(p.values()) for p in EQUAL if not overruns(two_layers.costs, p, budgets)]
    assert asked == [chosen, *(plan for plan in fitting if plan != chosen)]
    assert (8, 8) not in asked  # overruns the budget


@pytest.mark.filterwarnings("error")
def test_a_plan_that_no_equal_widths_beat_stays(two_layers):
    budgets = Budgets(weight_bytes=150)
    chosen = solve_clado(two_layers, budgets)
    evaluate, asked = measured_as({})
    assert solve_clado(two_layers, budgets, evaluate=evaluate, start=EQUAL) == chosen
    assert len(asked) > 1
