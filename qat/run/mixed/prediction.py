"""A check of the predicted harm: random plans within the run's budgets are measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from qat.allocate.budget import Budgets
from qat.allocate.prediction import MIN_PLANS, Agreement, agreement
from qat.allocate.sampling import random_plans
from qat.base.progress import tracked
from qat.data.batches import Batches
from qat.run.float_network import FloatNetwork
from qat.run.mixed.allocation import Allocation
from qat.run.mixed.plan_accuracy import PlanAccuracy
from qat.run.mixed.request import MixedRequest
from qat.run.request.images import RunImages
from qat.sensitivity.widths import Slot


@dataclass(frozen=True)
class CheckedPlan:
    """One random plan.

    Attributes:
        bits: Slot → width.
        harm: Predicted harm, in the unit of the sensitivity metric.
        top1: Measured accuracy, a fraction.
    """

    bits: Mapping[Slot, int]
    harm: float
    top1: float


@dataclass(frozen=True)
class Check:
    """Predicted harm and measured accuracy of several plans.

    Attributes:
        plans: The plans that were measured.
        agreement: Rank correlations of harm and loss of accuracy; None for fewer than five plans.
    """

    plans: Sequence[CheckedPlan]
    agreement: Agreement | None

    @property
    def absence_reasons(self) -> dict[str, str]:
        """Name of an absent correlation → reason."""
        if self.agreement is not None:
            return {}
        reason = (
            f"only {len(self.plans)} different plans use up the budget, and a correlation needs "
            f"{MIN_PLANS}"
        )
        return dict.fromkeys(("prediction_spearman", "prediction_kendall"), reason)

    def metrics(self) -> dict[str, float]:
        """Correlations with their intervals, and the accuracies of the random plans."""
        accuracies = [plan.top1 for plan in self.plans]
        metrics = {
            "random_plans_top1_best": max(accuracies),
            "random_plans_top1_mean": sum(accuracies) / len(accuracies),
        }
        for name in ("spearman", "kendall") if self.agreement else ():
            estimate = getattr(self.agreement, name)
            metrics[f"prediction_{name}"] = estimate.value
            metrics[f"prediction_{name}_low"] = estimate.low
            metrics[f"prediction_{name}_high"] = estimate.high
        return metrics


def check_prediction(request: MixedRequest, source: FloatNetwork, chosen: Allocation) -> Check:
    """Measure ``mixed.check_plans`` random plans, or fewer if there are no more.

    They are drawn within the same budgets as the choice (without budgets, within its costs) and use
    them up: no width could be larger. They are calibrated but never trained.

    Args:
        request: How widths are chosen.
        source: The float network.
        chosen: The choice whose prediction is checked.
    """
    settings = request.check
    budgets = chosen.budgets or _spending(chosen)
    plans = random_plans(chosen.problem, budgets, settings.check_plans, settings.check_seed)
    images, first = request.calibration.images, settings.check_images
    accuracy = PlanAccuracy(
        request.calibration, source, "test", _batches(images, first), {"first": first}
    )
    checked = [
        CheckedPlan(
            bits,
            chosen.problem.harm(bits),
            accuracy(chosen.choice.with_widths(bits))["top1"],
        )
        for bits in tracked("random plans", plans)
    ]
    harms = [plan.harm for plan in checked]
    if len(checked) < MIN_PLANS:
        return Check(checked, None)
    return Check(checked, agreement(harms, [-plan.top1 for plan in checked]))


def _batches(images: RunImages, first: int | None) -> Batches:
    """The first test images, or all: the check chooses nothing, so it may use the test set."""
    every, test = images.test(), images.data.test
    if first is None:
        return every
    subset = test.subset(torch.arange(min(first, len(test))))
    return Batches(subset, every.batch_size, images.data.preprocess)


def _spending(chosen: Allocation) -> Budgets:
    costs = chosen.problem.costs
    return Budgets(weight_bytes=costs.weight_bytes(chosen.bits), bops=costs.bops(chosen.bits))
