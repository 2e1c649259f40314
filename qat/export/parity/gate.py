"""Differences between the numbers of a runtime and those of the simulation.

All differences are in steps of the integer grid of the tensor,

    steps = |runtime - simulated| / scale        (codes: scale = 1)

because one flipped code is one step for every scale. This module only compares arrays; the caller
runs the networks, and :mod:`qat.export.parity.verdict` decides whether the differences are allowed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from qat.base.errors import InputError
from qat.export.parity.pieces import pieces

# Two programs decode the same code to floats that differ in the last bits: round to whole steps.
_FLOAT_ERROR_STEPS = 0.01


@dataclass(frozen=True, slots=True)
class LogitAgreement:
    """Agreement between the logits of a runtime and of the simulation.

    Attributes:
        images: Number of compared images.
        top1_agreement: Share of images with the same class; if logits are equal, the first counts.
        max_steps: Largest difference of a logit; infinite if a logit is NaN or infinite; None if
            the logits are not on a grid.
        within_one_step: Share of logits that differ by at most one step; None as above.
        sqnr_db: 10 log10(sum simulated^2 / sum difference^2); infinite if all are equal.
    """

    images: int
    top1_agreement: float
    max_steps: float | None
    within_one_step: float | None
    sqnr_db: float


@dataclass(frozen=True, slots=True)
class LayerAgreement:
    """Agreement of one tensor inside the network.

    Attributes:
        name: Layer that computes the tensor.
        max_steps: Largest difference; infinite if a value is NaN or infinite.
        within_one_step: Share of values that differ by at most one step.
        differing: Share of values that are not equal.
    """

    name: str
    max_steps: float
    within_one_step: float
    differing: float


@dataclass(frozen=True, slots=True)
class ParityThresholds:
    """Limits of the parity check; None switches a limit off.

    Attributes:
        top1_agreement: Smallest allowed share of images with the same class.
        within_one_step: Smallest allowed share of logits that differ by at most one step.
        max_steps: Largest allowed difference of a logit.
        sqnr_db: Smallest allowed signal-to-quantization-noise ratio of the logits, in dB.
        layer_steps: Largest allowed difference in a layer with the same input codes.
        allow_ties: Pass a network that exceeds the limits end to end if flipped ties explain it
            (:mod:`qat.export.parity.verdict`).

    Raises:
        ValueError: If a share is not in 0..1, or a number of steps is negative or NaN.
    """

    top1_agreement: float | None = 0.999
    within_one_step: float | None = 0.998
    max_steps: float | None = 4.0
    sqnr_db: float | None = None
    layer_steps: float | None = 1.0
    allow_ties: bool = True

    def __post_init__(self) -> None:
        for name in ("top1_agreement", "within_one_step"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise InputError(f"parity threshold {name} must be a share, 0..1, got {share}")
        for name in ("max_steps", "layer_steps"):
            steps = getattr(self, name)
            if steps is not None and not steps >= 0:
                raise InputError(f"parity threshold {name} must be 0 steps or more, got {steps}")
        if self.sqnr_db is not None and math.isnan(self.sqnr_db):
            raise InputError("parity threshold sqnr_db must be a number, got nan")


def difference_in_steps(simulated: np.ndarray, runtime: np.ndarray, scale: float) -> np.ndarray:
    """``|runtime - simulated| / scale`` in float64; infinite for NaN and infinite values.

    Args:
        simulated: Values of the simulation.
        runtime: Values of the runtime, in the same shape.
        scale: Size of a step; 1 for codes.

    Raises:
        ValueError: If shapes differ, there are no values, or ``scale`` is not positive.

    Example:
        >>> difference_in_steps(np.array([0.5, 1.0]), np.array([0.5, 1.5]), scale=0.25)
        array([0., 2.])
    """
    _check_shapes(simulated, runtime)
    if not 0 < scale < math.inf:
        raise InputError(f"a step must be positive and finite, got {scale}")
    with np.errstate(invalid="ignore"):
        steps = np.abs(runtime.astype(np.float64) - simulated.astype(np.float64)) / scale
    whole = np.rint(steps)
    with np.errstate(invalid="ignore"):
        steps = np.where(np.abs(steps - whole) <= _FLOAT_ERROR_STEPS, whole, steps)
    return np.where(np.isfinite(steps), steps, np.inf)


def compare_logits(
    simulated: np.ndarray, runtime: np.ndarray, scale: float | None
) -> LogitAgreement:
    """Compare logits ``[N, classes]``, as values on a grid or as codes (scale 1).

    Args:
        simulated: Logits of the simulation.
        runtime: Logits of the runtime.
        scale: Size of a step; None if the logits are not on a grid.

    Raises:
        ValueError: As :func:`difference_in_steps`, or if the arrays do not have two axes.

    Example:
        >>> agreement = compare_logits(np.array([[1.0, 3.0]]), np.array([[1.0, 4.0]]), scale=1.0)
        >>> agreement.top1_agreement, agreement.max_steps, agreement.sqnr_db
        (1.0, 1.0, 10.0)
    """
    if simulated.ndim != 2:
        raise InputError(f"logits must be [N, classes], got shape {simulated.shape}")
    steps = None if scale is None else difference_in_steps(simulated, runtime, scale)
    _check_shapes(simulated, runtime)
    finite = np.isfinite(simulated).all(axis=1) & np.isfinite(runtime).all(axis=1)
    same = (np.argmax(simulated, axis=1) == np.argmax(runtime, axis=1)) & finite
    return LogitAgreement(
        images=len(simulated),
        top1_agreement=float(same.mean()),
        max_steps=None if steps is None else float(steps.max()),
        within_one_step=None if steps is None else float((steps <= 1).mean()),
        sqnr_db=_sqnr_db(simulated, runtime) if finite.all() else -math.inf,
    )


def compare_layers(
    tensors: Iterable[tuple[str, np.ndarray, np.ndarray, float]],
) -> tuple[LayerAgreement, ...]:
    """Compare tensors inside the network; the results have the same order.

    Args:
        tensors: Name, simulated values, values of the runtime, and scale of each tensor.

    Raises:
        ValueError: As :func:`difference_in_steps`, with the name of the layer.
    """
    return tuple(_compare_layer(*tensor) for tensor in tensors)


def merge_agreements(
    first: Sequence[LayerAgreement], images: int, more: Sequence[LayerAgreement], more_images: int
) -> tuple[LayerAgreement, ...]:
    """Merge the comparisons of two sets of images; the layers must have the same order.

    Args:
        first: Comparison of the first images.
        images: Number of the first images.
        more: Comparison of further images.
        more_images: Number of the further images.

    Example:
        >>> exact, off = LayerAgreement("fc", 0.0, 1.0, 0.0), LayerAgreement("fc", 2.0, 0.5, 1.0)
        >>> merge_agreements([exact], 3, [off], 1)[0].differing
        0.25
    """
    share = images / (images + more_images)
    return tuple(
        LayerAgreement(
            a.name,
            max(a.max_steps, b.max_steps),
            share * a.within_one_step + (1 - share) * b.within_one_step,
            share * a.differing + (1 - share) * b.differing,
        )
        for a, b in zip(first, more, strict=True)
    )


def first_diverging(
    layers: Sequence[LayerAgreement], beyond_steps: float = 0
) -> LayerAgreement | None:
    """The first layer with a larger difference than allowed; None if there is none.

    Args:
        layers: In the order of execution.
        beyond_steps: Largest allowed difference.
    """
    return next((layer for layer in layers if layer.max_steps > beyond_steps), None)


def _compare_layer(
    name: str, simulated: np.ndarray, runtime: np.ndarray, scale: float
) -> LayerAgreement:
    try:
        _check_shapes(simulated, runtime)
        most, within, differing = _counted(simulated.reshape(-1), runtime.reshape(-1), scale)
    except ValueError as error:
        raise InputError(f"layer {name}: {error}") from None
    return LayerAgreement(name, most, within / simulated.size, differing / simulated.size)


def _counted(simulated: np.ndarray, runtime: np.ndarray, scale: float) -> tuple[float, int, int]:
    """Largest difference, number of those up to one step, and number of those above 0."""
    most, within, differing = 0.0, 0, 0
    for piece in pieces(len(simulated)):
        steps = difference_in_steps(simulated[piece], runtime[piece], scale)
        most = max(most, float(steps.max()))
        within += int(np.count_nonzero(steps <= 1))
        differing += int(np.count_nonzero(steps))
    return most, within, differing


def _check_shapes(simulated: np.ndarray, runtime: np.ndarray) -> None:
    if simulated.shape != runtime.shape:
        raise InputError(f"shapes differ: simulated {simulated.shape}, runtime {runtime.shape}")
    if not simulated.size:
        raise InputError(f"nothing to compare in tensors of shape {simulated.shape}")


def _sqnr_db(simulated: np.ndarray, runtime: np.ndarray) -> float:
    signal = simulated.astype(np.float64)
    power = float(np.square(signal - runtime.astype(np.float64)).sum())
    if power == 0:
        return math.inf
    ratio = float(np.square(signal).sum()) / power
    return 10 * math.log10(ratio) if ratio > 0 else -math.inf
