"""Predicted harm and measured accuracy of random plans."""

import pytest

from qat.allocate.prediction import Agreement, Estimate
from qat.run.mixed.allocation import choose_plan
from qat.run.mixed.prediction import Check, CheckedPlan, check_prediction

PLANS = [CheckedPlan({}, harm, top1) for harm, top1 in ((1.0, 0.5), (2.0, 0.25), (3.0, 0.75))]


def test_metrics_of_a_check():
    agreement = Agreement(Estimate(0.5, 0.1, 0.9), Estimate(0.4, 0.2, 0.6), 3, 0.95)
    assert Check(PLANS, agreement).metrics() == {
        "random_plans_top1_best": 0.75,
        "random_plans_top1_mean": 0.5,
        "prediction_spearman": 0.5,
        "prediction_spearman_low": 0.1,
        "prediction_spearman_high": 0.9,
        "prediction_kendall": 0.4,
        "prediction_kendall_low": 0.2,
        "prediction_kendall_high": 0.6,
    }
    assert Check(PLANS, agreement).absence_reasons == {}


def test_too_few_plans_have_no_correlation():
    check = Check(PLANS, None)
    assert check.metrics().keys() == {"random_plans_top1_best", "random_plans_top1_mean"}
    assert check.absence_reasons.keys() == {"prediction_spearman", "prediction_kendall"}
    assert "only 3 different plans" in check.absence_reasons["prediction_kendall"]


@pytest.mark.parametrize("budget", [{"allocate__average_weight_bits": 5}, {}])
def test_random_plans_lie_within_the_budgets(make_choice, budget):
    name = {} if budget else {"allocate__name": "threshold"}
    request, source = make_choice(**budget, **name, mixed__check_plans=6, mixed__check_images=4)
    chosen = choose_plan(request, source)
    check = check_prediction(request, source, chosen)
    weights = {"first": 108, "second": 144, "head": 12}

    def size(bits):
        return sum(weights[layer] * width for (layer, _), width in bits.items())

    limit = 5 * 264 if budget else size(chosen.bits)
    assert check.plans
    for plan in check.plans:
        assert size(plan.bits) <= limit
        assert plan.harm == chosen.problem.harm(plan.bits)
        assert plan.top1 in (0, 0.25, 0.5, 0.75, 1)  # of four images
