"""What quantizing one tensor did to the outputs of the network, as one number.

Each takes the float network's logits ``(images, classes)``, the changed network's, and the labels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from qat.base.errors import InputError
from qat.core.accuracy import classes_before
from qat.sensitivity.table import DECIBELS
from qat.sensitivity.widths import SLOTS

Score = Callable[[Tensor, Tensor, Tensor], float]


def accuracy_drop(reference: Tensor, logits: Tensor, labels: Tensor) -> float:
    """``(a0 - a) / a0``, the share of the float network's accuracy that is lost.

    Raises:
        ValueError: If the float network has no image right: no share of nothing is lost.
    """
    before = int((classes_before(reference, labels) < 1).sum())
    after = int((classes_before(logits, labels) < 1).sum())
    if not before:
        raise InputError(
            "the float network classifies none of the images right, so that no accuracy can drop: "
            "train it, or take another metric"
        )
    return (before - after) / before


def loss_increase(reference: Tensor, logits: Tensor, labels: Tensor) -> float:
    """Mean cross entropy after minus before, nats."""
    before, after = (F.cross_entropy(each.double(), labels) for each in (reference, logits))
    return float(after - before)


def output_sqnr_db(reference: Tensor, logits: Tensor, labels: Tensor) -> float:
    """``10 log10(sum y^2 / sum (y - y')^2)`` of the logits, dB; infinite where nothing changed."""
    signal = reference.double().square().sum()
    noise = (reference.double() - logits.double()).square().sum()
    return float(10 * torch.log10(signal / noise)) if noise else float("inf")


def output_kl(reference: Tensor, logits: Tensor, labels: Tensor) -> float:
    """``KL(p || p') = sum p log(p / p')`` of the softmax outputs, mean over images, nats."""
    before, after = (F.log_softmax(each.double(), dim=1) for each in (reference, logits))
    return float(F.kl_div(after, before, reduction="batchmean", log_target=True))


@dataclass(frozen=True)
class Metric:
    """A way to score a layer.

    Attributes:
        name: Its name.
        unit: Of the score; empty for a plain number.
        higher_is_worse: False for a quality, such as an SQNR.
        score: What a changed network's logits are scored by; None for a metric that looks at the
            tensor itself (see :mod:`qat.sensitivity.perturbation`).
        slots: Kinds of tensors whose scores can be compared with each other.
    """

    name: str
    unit: str
    higher_is_worse: bool = True
    score: Score | None = None
    slots: tuple[str, ...] = SLOTS

    @property
    def float_score(self) -> float:
        """What a tensor that stays float scores."""
        return 0.0 if self.higher_is_worse else float("inf")


ACCURACY_DROP = Metric("accuracy_drop", "", score=accuracy_drop)
LOSS_INCREASE = Metric("loss_increase", "nats", score=loss_increase)
OUTPUT_SQNR = Metric("output_sqnr", DECIBELS, higher_is_worse=False, score=output_sqnr_db)
OUTPUT_KL = Metric("output_kl", "nats", score=output_kl)
WEIGHT_MSE = Metric("weight_mse", "squared value", slots=("weight",))
GRADIENT = Metric("gradient", "nats")
FISHER = Metric("fisher", "nats")
HESSIAN = Metric("hessian", "nats")
