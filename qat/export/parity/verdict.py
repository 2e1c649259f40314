"""Whether a runtime's network is the simulated one: layers decide, ties that spread do not.

Two right programs round a value half-way between two codes differently now and then: their float
sums differ in the last bit. One flipped code may flip others behind it, so that logits differ by
several steps and, of a network that is not sure, classes. The rule:

1. Layer by layer, from the same input codes: one that differs by more than ``layer_steps`` is a
   wrong operator. The gate fails and names it.
2. Biases that do not fit 32 bits fail: all clamp them alike, so that no comparison shows it.
3. Else what misses an end-to-end threshold is held against the simulation's own sensitivity: as
   many codes of every tensor are flipped by one step as differ in step 1, and its logits compared
   with those without. Differences of that size are ties that spread, and pass, unless
   ``allow_ties`` is false. Larger ones fail: something differs that no layer showed.
4. Without a comparison layer by layer (dynamic ranges, float16) the thresholds alone decide.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qat.base.errors import InputError
from qat.export.parity.gate import LayerAgreement, LogitAgreement, ParityThresholds, first_diverging

PASSED, FAILED = "passed", "failed"
EQUAL, TIES, OPERATOR, BIASES, LOGITS = "equal", "ties", "operator", "biases", "logits"
"""Causes of a verdict: no code differs; ties that spread; a wrong operator; biases that are
clamped; logits that differ for no reason that was found."""
_DEVIATIONS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided.

    Attributes:
        gate: ``passed`` or ``failed``.
        reason: In one line what was missed; what was missed and explained, of one that passed.
        cause: What the differences are; a word above.
    """

    gate: str
    reason: str = ""
    cause: str = EQUAL

    @property
    def passed(self) -> bool:
        """Whether the gate is open."""
        return self.gate == PASSED


def judge(
    logits: Mapping[str, LogitAgreement],
    thresholds: ParityThresholds,
    layers: Sequence[LayerAgreement] = (),
    saturated: Mapping[str, int] | None = None,
    sensitivity: LogitAgreement | None = None,
) -> Verdict:
    """Hold comparisons against thresholds.

    Args:
        logits: End to end, by how the runtime was set (such as ``optimizations off``).
        thresholds: What must hold of every one of them.
        layers: Each computed from the same input codes by both.
        saturated: Layer → biases that do not fit 32 bits. All who compute clamp them alike, so
            that they agree, on a network that is not the one that was asked for.
        sensitivity: The simulation's logits against its own with codes flipped at random.

    Raises:
        ValueError: If there is nothing to judge.
    """
    if not logits and not layers:
        raise InputError("the parity gate was given nothing to compare; run at least one image")
    missed = [
        f"{how}: {what}" for how, found in logits.items() for what in _missed(found, thresholds)
    ]
    if thresholds.layer_steps is not None:
        layer = first_diverging(layers, thresholds.layer_steps)
        if layer is not None:
            most = f"{layer.max_steps:g} steps, above {thresholds.layer_steps:g}"
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
    if all(is_explained(found, sensitivity, thresholds) for found in logits.values()):
        return Verdict(PASSED, reason, TIES)
    return Verdict(FAILED, f"{reason}; more than flipped ties make of the simulation", LOGITS)


def may_be_ties(
    verdict: Verdict, thresholds: ParityThresholds, layers: Sequence[LayerAgreement]
) -> bool:
    """Whether a failed verdict may change when the simulation's sensitivity is known."""
    layer_by_layer = bool(layers) and thresholds.layer_steps is not None
    return verdict.cause == LOGITS and layer_by_layer and thresholds.allow_ties


def is_explained(
    found: LogitAgreement, sensitivity: LogitAgreement, thresholds: ParityThresholds
) -> bool:
    """Whether logits differ no more than flipped ties make them differ, chance allowed for.

    The share of images classified otherwise may exceed the simulation's own by three standard
    deviations and one image, steps and the share of logits beyond one step may be double.
    """
    if thresholds.sqnr_db is not None and not found.sqnr_db >= thresholds.sqnr_db:
        return False
    share = 1 - sensitivity.top1_agreement
    spread = share * (1 - share) * (1 / sensitivity.images + 1 / found.images)
    most = share + _DEVIATIONS * math.sqrt(spread) + 1 / min(sensitivity.images, found.images)
    if 1 - found.top1_agreement > most:
        return False
    if None in (found.max_steps, found.within_one_step, sensitivity.max_steps):
        return True
    beyond, own = (1 - float(rows.within_one_step or 0) for rows in (found, sensitivity))
    steps, own_steps = float(found.max_steps or 0), float(sensitivity.max_steps or 0)
    return steps <= 2 * own_steps + 1 and beyond <= 2 * own + 0.01


def _harmless(logits: Mapping[str, LogitAgreement], layers: Sequence[LayerAgreement]) -> str:
    differs = any(layer.differing for layer in layers)
    return TIES if differs or any(found.max_steps != 0 for found in logits.values()) else EQUAL


def _missed(found: LogitAgreement, asked: ParityThresholds) -> list[str]:
    at_least = [
        ("top-1 agreement", found.top1_agreement, asked.top1_agreement),
        ("share of logits within one step", found.within_one_step, asked.within_one_step),
        ("SQNR in dB", found.sqnr_db, asked.sqnr_db),
    ]
    missed = [
        f"{name} {value:.6g}, below {least:g}"
        for name, value, least in at_least
        if least is not None and value is not None and not value >= least
    ]
    most = found.max_steps
    if asked.max_steps is not None and most is not None and most > asked.max_steps:
        missed.append(f"a logit differs by {most:g} steps, above {asked.max_steps:g}")
    return missed
