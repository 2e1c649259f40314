"""The decision whether a runtime computes the simulated network, in spite of flipped ties.

Two correct programs sometimes round a value half-way between two codes (a tie) differently, because
their float sums differ in the last bit. One flipped code can flip codes in later layers, so that
logits differ by several steps, and the class can change if two logits are close. The rule:

1. Single layers, from the same input codes: a layer that differs by more than ``layer_steps`` has
   a wrong operator. The check fails and names the layer.
2. The check fails if biases do not fit into 32 bits: every program clamps them to the same values,
   so that no comparison would show the error.
3. Otherwise, if an end-to-end threshold is missed, the sensitivity of the simulation is measured:
   in every tensor as many codes as differed in step 1 are changed by one step, and the logits are
   compared with those of the unchanged simulation. Differences up to that size are due to ties and
   pass, unless ``allow_ties`` is false. Larger differences fail: their cause is in no single layer.
4. Without a comparison of single layers (dynamic ranges, float16) only the thresholds decide.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qat.base.errors import InputError
from qat.base.plurals import counted
from qat.export.parity.gate import LayerAgreement, LogitAgreement, ParityThresholds, first_diverging

PASSED, FAILED = "passed", "failed"
EQUAL, TIES, OPERATOR, BIASES, LOGITS = "equal", "ties", "operator", "biases", "logits"
"""Causes of a verdict: no code differs; flipped ties; a wrong operator; clamped biases; logits
that differ for an unknown reason."""
_DEVIATIONS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of the parity check.

    Attributes:
        gate: ``passed`` or ``failed``.
        reason: The missed thresholds in one line; if the check passed, those that ties explain.
        cause: Cause of the differences, one of the constants above.
    """

    gate: str
    reason: str = ""
    cause: str = EQUAL

    @property
    def passed(self) -> bool:
        """True if the check passed."""
        return self.gate == PASSED


def judge(
    logits: Mapping[str, LogitAgreement],
    thresholds: ParityThresholds,
    layers: Sequence[LayerAgreement] = (),
    saturated: Mapping[str, int] | None = None,
    sensitivity: LogitAgreement | None = None,
) -> Verdict:
    """Compare measured differences with the thresholds.

    Args:
        logits: Setting of the runtime (such as ``optimizations off``) → comparison end to end.
        thresholds: Limits for every one of these comparisons.
        layers: Comparisons of single layers, computed from the same input codes.
        saturated: Layer → number of biases that do not fit into 32 bits. Simulation and runtime
            clamp them to the same values and agree, but on another network than the intended one.
        sensitivity: The simulation compared with itself when random codes are changed; None if
            it is unknown.

    Raises:
        ValueError: If there is nothing to compare.

    Example:
        >>> logits = {"optimizations on": LogitAgreement(100, 0.9, 2.0, 1.0, 30.0)}
        >>> judge(logits, ParityThresholds()).reason
        'optimizations on: top-1 agreement 0.9, below 0.999'
    """
    if not logits and not layers:
        raise InputError("the parity check has nothing to compare: run at least one image")
    missed = [
        f"{how}: {miss}"
        for how, agreement in logits.items()
        for miss in _missed(agreement, thresholds)
    ]
    if thresholds.layer_steps is not None:
        layer = first_diverging(layers, thresholds.layer_steps)
        if layer is not None:
            most = f"{counted(layer.max_steps, 'step', 'g')}, above {thresholds.layer_steps:g}"
            missed.append(f"layer {layer.name} alone differs by {most}")
            return Verdict(FAILED, "; ".join(missed), OPERATOR)
    if saturated:
        missed += [
            f"layer {name}: {count} biases do not fit 32 bits and are clamped"
            for name, count in saturated.items()
        ]
        return Verdict(FAILED, "; ".join(missed), BIASES)
    if not missed:
        return Verdict(PASSED, cause=_harmless(logits, layers))
    reason = "; ".join(missed)
    if sensitivity is None:
        return Verdict(FAILED, reason, LOGITS)
    if all(is_explained(agreement, sensitivity, thresholds) for agreement in logits.values()):
        return Verdict(PASSED, reason, TIES)
    return Verdict(FAILED, f"{reason}; more than flipped ties make of the simulation", LOGITS)


def may_be_ties(
    verdict: Verdict, thresholds: ParityThresholds, layers: Sequence[LayerAgreement]
) -> bool:
    """Whether a failed verdict can change once the sensitivity of the simulation is known.

    Args:
        verdict: Verdict without the sensitivity.
        thresholds: Its limits.
        layers: Comparisons of single layers; without them ties cannot be distinguished.
    """
    layer_by_layer = bool(layers) and thresholds.layer_steps is not None
    return verdict.cause == LOGITS and layer_by_layer and thresholds.allow_ties


def is_explained(
    agreement: LogitAgreement, sensitivity: LogitAgreement, thresholds: ParityThresholds
) -> bool:
    """Whether flipped ties explain the differences of the logits, with a margin for chance.

    The share of images with another class may exceed that of the changed simulation by three
    standard deviations and one image; the largest difference may be 2x + 1 steps, and the share of
    logits beyond one step 2x + 0.01, where x is the value of the changed simulation.

    Args:
        agreement: The runtime compared with the simulation.
        sensitivity: The simulation compared with itself when random codes are changed.
        thresholds: Of these only ``sqnr_db``, which ties do not excuse.
    """
    if thresholds.sqnr_db is not None and not agreement.sqnr_db >= thresholds.sqnr_db:
        return False
    share = 1 - sensitivity.top1_agreement
    spread = share * (1 - share) * (1 / sensitivity.images + 1 / agreement.images)
    most = share + _DEVIATIONS * math.sqrt(spread) + 1 / min(sensitivity.images, agreement.images)
    if 1 - agreement.top1_agreement > most:
        return False
    if None in (agreement.max_steps, agreement.within_one_step, sensitivity.max_steps):
        return True
    beyond, own = (1 - float(rows.within_one_step or 0) for rows in (agreement, sensitivity))
    steps, own_steps = float(agreement.max_steps or 0), float(sensitivity.max_steps or 0)
    return steps <= 2 * own_steps + 1 and beyond <= 2 * own + 0.01


def _harmless(logits: Mapping[str, LogitAgreement], layers: Sequence[LayerAgreement]) -> str:
    differs = any(layer.differing for layer in layers)
    return TIES if differs or any(rows.max_steps != 0 for rows in logits.values()) else EQUAL


def _missed(agreement: LogitAgreement, thresholds: ParityThresholds) -> list[str]:
    at_least = [
        ("top-1 agreement", agreement.top1_agreement, thresholds.top1_agreement),
        (
            "share of logits within one step",
            agreement.within_one_step,
            thresholds.within_one_step,
        ),
        ("SQNR in dB", agreement.sqnr_db, thresholds.sqnr_db),
    ]
    missed = [
        f"{name} {value:.6g}, below {least:g}"
        for name, value, least in at_least
        if least is not None and value is not None and not value >= least
    ]
    most, limit = agreement.max_steps, thresholds.max_steps
    if limit is not None and most is not None and most > limit:
        missed.append(f"a logit differs by {counted(most, 'step', 'g')}, above {limit:g}")
    return missed
