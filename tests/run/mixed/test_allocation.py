"""From sensitivities to a plan."""

import itertools
import warnings

import pytest
import torch

from qat.allocate.budget import UnmeetableBudgetError
from qat.convert.swap import quantize
from qat.run.mixed import allocation
from qat.run.mixed.allocation import choose_plan
from tests.allocate.spent import spent_by

WEIGHTS = {"first": 108, "second": 144, "head": 12}


def narrowest(problem, budgets, **options):
    return problem.narrowest()


def widest(problem, budgets, **options):
    return problem.bits([variable.widths[-1] for variable in problem.variables])


def test_no_plan_within_the_budget_has_less_harm(make_choice):
    chosen = choose_plan(*make_choice(allocate__average_weight_bits=4))
    scores = chosen.table.scores
    harms = {}
    for widths in itertools.product((2, 4, 8), repeat=3):
        bits = dict(zip(WEIGHTS, widths, strict=True))
        if sum(WEIGHTS[name] * width for name, width in bits.items()) <= 4 * sum(WEIGHTS.values()):
            harms[widths] = sum(scores[name, "weight", width] for name, width in bits.items())
    best = min(harms, key=harms.__getitem__)
    assert tuple(chosen.bits[name, "weight"] for name in WEIGHTS) == best
    assert [layer.weight.bits for layer in chosen.plan.layers.values()] == list(best)
    assert chosen.budgets.named() == {"average_weight_bits": 4}


@pytest.mark.parametrize(
    "allocator", ["ilp", "greedy", "threshold", "evolve", "clado", "remeasure"]
)
def test_every_allocator_obeys_the_budget(make_choice, allocator):
    few = {"evaluations": 4, "population": 2} if allocator == "evolve" else {}
    request, source = make_choice(
        sensitivity__metric="output_kl",
        allocate__name=allocator,
        allocate__options=few,
        allocate__average_weight_bits=3,
    )
    plan, example = choose_plan(request, source).plan, request.calibration.images.example()
    assert spent_by(source.net, plan, example)["average_weight_bits"] <= 3


def converted_kl(request, source, plan):
    """Mean KL of a converted network on the sensitivity images, without the code under test."""
    images = [batch for batch, _ in request.sensitivity_images]
    qnet = quantize(source.net, plan)
    request.calibration.run(qnet, source.digest)
    with torch.no_grad():
        before, after = (
            torch.cat([net(batch) for batch in images]).double().log_softmax(1)
            for net in (source.net, qnet.eval())
        )
    return float((before.exp() * (before - after)).sum(1).mean())


def test_measuring_around_the_plan_is_never_worse_than_ilp_nor_uniform_widths(make_choice):
    words = {"sensitivity__metric": "output_kl", "allocate__average_weight_bits": 4}
    request, source = make_choice(allocate__name="remeasure", **words)
    found = converted_kl(request, source, choose_plan(request, source).plan)
    additive = choose_plan(*make_choice(**words))
    assert found <= converted_kl(request, source, additive.plan) * (1 + 1e-6)
    assert found <= converted_kl(request, source, additive.choice.base) * (1 + 1e-6)  # W4


@pytest.mark.parametrize("check", [9, None])
def test_clado_takes_equal_widths_that_do_less_harm(make_choice, monkeypatch, check):
    """A plan of pairs that mislead is replaced, unless it was not to be checked."""
    words = {"sensitivity__metric": "output_kl", "allocate__average_weight_bits": 4}
    request, source = make_choice(
        allocate__name="clado", allocate__options={"check": check}, **words
    )
    monkeypatch.setattr("qat.allocate.clado.spend_leftover", lambda *_: narrow)
    narrow = {(name, "weight"): 2 for name in WEIGHTS}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        chosen = choose_plan(request, source)
    assert any("equal widths" in str(each.message) for each in caught) == bool(check)
    assert (chosen.bits == narrow) != bool(check)
    if check:
        found = converted_kl(request, source, chosen.plan)
        assert found < converted_kl(request, source, chosen.choice.with_widths(narrow))


def test_clado_predicts_a_pair_as_it_was_measured(make_choice):
    words = {"sensitivity__metric": "output_kl", "allocate__average_weight_bits": 4}
    request, source = make_choice(allocate__name="clado", **words)
    chosen = choose_plan(request, source)
    assert chosen.problem.interactions
    scores = [chosen.table.scores[name, "weight", 8] for name in WEIGHTS]
    rest = chosen.problem.harm(dict.fromkeys(chosen.bits, 8))
    assert rest != pytest.approx(sum(scores), rel=1e-6)  # pairs count


def test_a_budget_that_no_plan_meets_is_refused_before_a_measurement(make_choice, monkeypatch):
    monkeypatch.setattr(allocation, "run_sensitivity", None)
    with pytest.raises(UnmeetableBudgetError, match=r"misses average_weight_bits=1\.5 by"):
        choose_plan(*make_choice(allocate__average_weight_bits=1.5))


def test_an_allocator_of_the_users(make_choice):
    user = {"allocate__name": "user", "allocate__target": f"{__name__}:narrowest"}
    chosen = choose_plan(*make_choice(**user, allocate__average_weight_bits=4))
    assert set(chosen.bits.values()) == {2}


def test_an_allocator_of_the_users_that_overruns_its_budget_is_refused(make_choice):
    user = {"allocate__name": "user", "allocate__target": f"{__name__}:widest"}
    with pytest.raises(ValueError, match=r"overruns its budgets: \{'average_weight_bits': 1\.0\}"):
        choose_plan(*make_choice(**user, allocate__average_weight_bits=4))


def test_an_allocator_that_measures_plans_starts_from_ilp_and_gets_their_loss(
    make_choice, monkeypatch
):
    measured = {}

    def allocate(name, problem, budgets, options=None):
        if name == "ilp":
            return problem.narrowest()
        measured["loss"] = options["evaluate"](problem.narrowest())
        measured["start"] = options["start"]
        return problem.narrowest()

    monkeypatch.setattr(allocation, "allocate", allocate)
    chosen = choose_plan(*make_choice(allocate__name="evolve", allocate__average_weight_bits=4))
    assert measured["start"] == [chosen.bits]
    assert 0.5 < measured["loss"] < 3  # an untrained network of three classes: about ln 3
