"""Sensitivity metrics: the effect of quantizing one tensor, as one number.

A function that scores takes the float network's logits ``(images, classes)``, the logits of the
network with that tensor quantized, and the labels ``(images,)``.
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

    Args:
        reference: Logits of the float network, ``(images, classes)``.
        logits: Logits with the tensor quantized.
        labels: Classes, ``(images,)``.

    Raises:
        ValueError: If the float network classifies no image right: ``a0`` is 0.

    Example:
        >>> right, wrong = torch.tensor([[2.0, 1.0]]), torch.tensor([[1.0, 2.0]])
        >>> accuracy_drop(right, wrong, torch.tensor([0]))
        1.0
    """
    before = int((classes_before(reference, labels) < 1).sum())
    after = int((classes_before(logits, labels) < 1).sum())
    if not before:
        raise InputError(
            "the float network classifies none of the images right, so that its accuracy cannot "
            "drop: train it, or take another metric"
        )
    return (before - after) / before


def loss_increase(reference: Tensor, logits: Tensor, labels: Tensor) -> float:
    """Mean cross entropy after minus before, nats.

    Args:
        reference: Logits of the float network, ``(images, classes)``.
        logits: Logits with the tensor quantized.
        labels: Classes, ``(images,)``.

    Example:
        >>> before, after = torch.tensor([[0.0, 0.0]]), torch.log(torch.tensor([[1.0, 3.0]]))
        >>> round(loss_increase(before, after, torch.tensor([0])), 4)  # log 4 - log 2
        0.6931
    """
    before, after = (F.cross_entropy(each.double(), labels) for each in (reference, logits))
    return float(after - before)


def output_sqnr_db(reference: Tensor, logits: Tensor, labels: Tensor) -> float:
    """``10 log10(sum y^2 / sum (y - y')^2)`` of the logits, dB; infinite where nothing changed.

    This is the signal-to-quantization-noise ratio (SQNR).

    Args:
        reference: Logits of the float network ``y``, ``(images, classes)``.
        logits: Logits with the tensor quantized, ``y'``.
        labels: Not used.

    Example:
        >>> output_sqnr_db(torch.tensor([[10.0]]), torch.tensor([[9.0]]), torch.tensor([0]))
        20.0
    """
    signal = reference.double().square().sum()
    noise = (reference.double() - logits.double()).square().sum()
    return float(10 * torch.log10(signal / noise)) if noise else float("inf")


def output_kl(reference: Tensor, logits: Tensor, labels: Tensor) -> float:
    """``KL(p || p') = sum p log(p / p')`` of the softmax outputs, mean over images, nats.

    This is the Kullback-Leibler divergence (KL).

    Args:
        reference: Logits of the float network, whose softmax is ``p``, ``(images, classes)``.
        logits: Logits with the tensor quantized, whose softmax is ``p'``.
        labels: Not used.

    Example:
        >>> before, after = torch.tensor([[0.0, 0.0]]), torch.log(torch.tensor([[1.0, 3.0]]))
        >>> round(output_kl(before, after, torch.tensor([0])), 4)  # log(4 / 3) / 2
        0.1438
    """
    before, after = (F.log_softmax(each.double(), dim=1) for each in (reference, logits))
    return float(F.kl_div(after, before, reduction="batchmean", log_target=True))


@dataclass(frozen=True)
class Metric:
    """A way to score the quantization of one tensor.

    Attributes:
        name: Name in tables.
        unit: Of the score; empty for a plain number.
        higher_is_worse: False for a quality, such as an SQNR.
        score: ``(float logits, logits, labels)`` → score; None for a metric that reads the tensor
            itself (see :mod:`qat.sensitivity.perturbation`).
        slots: Kinds of tensors whose scores can be compared with each other.

    Example:
        >>> change = Metric("change", "", score=lambda y, y2, labels: float((y - y2).mean()))
        >>> change.float_score
        0.0
    """

    name: str
    unit: str
    higher_is_worse: bool = True
    score: Score | None = None
    slots: tuple[str, ...] = SLOTS

    @property
    def float_score(self) -> float:
        """The score of a tensor that stays float."""
        return 0.0 if self.higher_is_worse else float("inf")


ACCURACY_DROP = Metric("accuracy_drop", "", score=accuracy_drop)
LOSS_INCREASE = Metric("loss_increase", "nats", score=loss_increase)
OUTPUT_SQNR = Metric("output_sqnr", DECIBELS, higher_is_worse=False, score=output_sqnr_db)
OUTPUT_KL = Metric("output_kl", "nats", score=output_kl)
WEIGHT_MSE = Metric("weight_mse", "squared value", slots=("weight",))
GRADIENT = Metric("gradient", "nats")
FISHER = Metric("fisher", "nats")
HESSIAN = Metric("hessian", "nats")
