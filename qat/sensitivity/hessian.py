"""Trace of the loss's Hessian with respect to one tensor, without computing the Hessian itself.

Hutchinson's estimator: with entries of v independent, +1 or -1 (Rademacher), E[v' H v] = tr(H).
As in Dong et al., "HAWQ-V2", NeurIPS 2020, arXiv:1911.03852. A product H v is one backward pass
through the graph of the gradient.

Differs from the paper: in each round every batch has its own vector, which has the same
expectation; the input of a layer is treated like a weight, with the loss of each image separately.

Cites: dong2020hawqv2.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.sensitivity.rounded_values import LabelledBatch, slot_tensors
from qat.sensitivity.single_quantizer import Fitted
from qat.sensitivity.widths import Slot

TOLERANCE = 0.05
MAX_PROBES = 1000
_ROUND = 10


class HessianWarning(UserWarning):
    """The standard error of a trace is larger than the tolerance."""


@dataclass(frozen=True)
class Trace:
    """An estimate of a Hessian's trace.

    Attributes:
        trace: Of the Hessian of the mean loss, nats per squared value.
        standard_error: Standard error of the trace.
        elements: Rows of the Hessian; for an activation those of one image.
        probes: Number of vectors that were drawn.

    Example:
        >>> Trace(trace=6.0, standard_error=0.1, elements=3, probes=10).mean
        2.0
    """

    trace: float
    standard_error: float
    elements: int
    probes: int

    @property
    def mean(self) -> float:
        """Average eigenvalue."""
        return self.trace / self.elements


def hessian_trace(
    fitted: Fitted,
    slot: Slot,
    batches: Sequence[LabelledBatch],
    *,
    tolerance: float = TOLERANCE,
    max_probes: int = MAX_PROBES,
    seed: int = 0,
) -> Trace:
    """The trace for one slot; vectors are drawn until its standard error is small enough.

    Args:
        fitted: Host network.
        slot: A weight, or the input of a layer.
        batches: ``(images, labels)``; the loss is the mean cross entropy over all of them.
        tolerance: Largest standard error, as a share of the trace.
        max_probes: Number of vectors after which to give up, with a :class:`HessianWarning`.
        seed: Seed of the vectors.

    Raises:
        ValueError: If the tolerance is not above 0, or the loss is not finite.
    """
    if not tolerance > 0:
        raise InputError(f"tolerance must be above 0, got {tolerance}; such as {TOLERANCE}")
    images = sum(len(labels) for _, labels in batches)
    elements = 0

    def sample(drawn: int) -> np.ndarray:
        nonlocal elements
        total = np.zeros(_ROUND)
        for index, batch in enumerate(batches):
            generator = torch.Generator().manual_seed(hash((seed, drawn, index)))
            loss, by_slot = slot_tensors(fitted, [slot], batch)
            if not bool(loss.isfinite()):
                raise InputError(
                    "the loss is NaN or infinite, so that it has no Hessian: repair the network's "
                    "weights or the images, or take another metric"
                )
            count = sum(tensor.numel() for tensor in by_slot[slot])
            elements = count if slot[1] == "weight" else count // len(batch[1])
            total += _samples(loss, by_slot[slot], generator)
        return total / images

    mean, error, probes = hutchinson(sample, tolerance, max_probes, f"{slot[0]} ({slot[1]})")
    return Trace(mean, error, elements, probes)


def hutchinson(
    sample: Callable[[int], np.ndarray], tolerance: float, max_probes: int, label: str = "H"
) -> tuple[float, float, int]:
    """Mean of samples, its standard error and their number, drawn until the error is small enough.

    Args:
        sample: Number of samples drawn so far → some more.
        tolerance: Largest standard error, as a share of the mean.
        max_probes: Number after which to give up, with a :class:`HessianWarning`.
        label: Name of the tensor, for that warning.

    Returns:
        Mean, standard error, number of samples.

    Example:
        >>> hutchinson(lambda drawn: np.array([1.0, 1.0, 1.0]), tolerance=0.05, max_probes=100)
        (1.0, 0.0, 3)
    """
    drawn = sample(0)
    while True:
        mean, error = float(drawn.mean()), float(drawn.std(ddof=1)) / len(drawn) ** 0.5
        if error <= tolerance * abs(mean):
            return mean, error, len(drawn)
        if len(drawn) >= max_probes:
            warnings.warn(
                f"the Hessian trace of {label} is {mean:.3g} +- {error:.3g} after {len(drawn)} "
                f"vectors, and its relative error is above the tolerance {tolerance:.3g}: allow "
                "more vectors (max_probes)",
                HessianWarning,
                stacklevel=3,
            )
            return mean, error, len(drawn)
        drawn = np.concatenate([drawn, sample(len(drawn))])


def _samples(loss: Tensor, tensors: Sequence[Tensor], generator: torch.Generator) -> np.ndarray:
    """``v' H v`` of a round of vectors."""
    first = torch.autograd.grad(loss, tensors, create_graph=True, materialize_grads=True)
    # The Hessian of a gradient that depends on nothing is zero.
    used = [i for i, gradient in enumerate(first) if gradient.requires_grad]
    samples = []
    for _ in range(_ROUND if used else 0):
        probes = [_rademacher(tensor, generator) for tensor in tensors]
        second = torch.autograd.grad(
            [first[i] for i in used],
            tensors,
            [probes[i] for i in used],
            retain_graph=True,
            materialize_grads=True,
        )
        pairs = zip(probes, second, strict=True)
        samples.append(sum(float((v * hv).double().sum()) for v, hv in pairs))
    return np.array(samples) if used else np.zeros(_ROUND)


def _rademacher(like: Tensor, generator: torch.Generator) -> Tensor:
    signs = torch.randint(0, 2, like.shape, generator=generator) * 2 - 1
    return signs.to(like.device, like.dtype)
