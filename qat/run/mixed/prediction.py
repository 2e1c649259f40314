"""Did the prediction hold? Random plans of a run's budgets, measured beside the chosen one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from qat.allocate.budget import Budgets
from qat.allocate.prediction import MIN_PLANS, Agreement, agreement
from qat.allocate.sampling import random_plans
from qat.base.progress import tracked
from qat.data.batches import Batches
from qat.run.float_network import FloatNetwork
from qat.run.images import RunImages
from qat.run.mixed.allocation import Allocation
from qat.run.mixed.plan_accuracy import PlanAccuracy
from qat.run.mixed.request import MixedRequest
from qat.sensitivity.widths import Slot


@dataclass(frozen=True)
class CheckedPlan:
    """One random plan.

    Attributes:
        bits: Slot → width.
        harm: Predicted, in the unit of the sensitivity metric.
        top1: Measured.
    """

    bits: Mapping[Slot, int]
    harm: float
    top1: float


@dataclass(frozen=True)
class Check:
    """Predicted against measured.

    Attributes:
        plans: That were measured.
        held: Rank correlations of harm and drop; None of fewer than five plans.
    """

    plans: Sequence[CheckedPlan]
    held: Agreement | None

    @property
    def lacks(self) -> dict[str, str]:
        """Why there are no correlations, by metric."""
        if self.held is not None:
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
        for name in ("spearman", "kendall") if self.held else ():
            estimate = getattr(self.held, name)
            metrics[f"prediction_{name}"] = estimate.value
            metrics[f"prediction_{name}_low"] = estimate.low
            metrics[f"prediction_{name}_high"] = estimate.high
        return metrics


def check_prediction(request: MixedRequest, source: FloatNetwork, chosen: Allocation) -> Check:
    """Measure ``mixed.check_plans`` random plans, or fewer if there are no more.

    They are drawn within the same budgets (of an allocation without budgets: within what it
    spends), use them up, and are calibrated, never trained.

    Args:
        request: How widths are chosen.
        source: The float network.
        chosen: The choice whose prediction is checked.
    """
    settings = request.check
    budgets = chosen.budgets or _spent(chosen)
    plans = random_plans(chosen.problem, budgets, settings.check_plans, settings.check_seed)
    images, first = request.calibration.images, settings.check_images
    measured = PlanAccuracy(
        request.calibration, source, "test", _batches(images, first), {"first": first}
    )
    checked = [
        CheckedPlan(
            bits,
            chosen.problem.harm(bits),
            measured(chosen.choice.with_widths(bits))["top1"],
        )
        for bits in tracked("random plans", plans)
    ]
    harms = [plan.harm for plan in checked]
    if len(checked) < MIN_PLANS:
        return Check(checked, None)
    return Check(checked, agreement(harms, [-plan.top1 for plan in checked]))


def _batches(images: RunImages, first: int | None) -> Batches:
    """The first test images, or all: a check chooses nothing, so the test set is allowed."""
    every, test = images.test(), images.data.test
    if first is None:
        return every
    subset = test.subset(torch.arange(min(first, len(test))))
    return Batches(subset, every.batch_size, images.data.preprocess)


def _spent(chosen: Allocation) -> Budgets:
    costs = chosen.problem.costs
    return Budgets(weight_bytes=costs.weight_bytes(chosen.bits), bops=costs.bops(chosen.bits))
