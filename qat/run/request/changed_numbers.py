"""Marks in a run's identity, where a change of this program moves the numbers of some runs only.

A run that has a mark is not found under the id that it had before the change; all other runs keep
their ids. The next ``NUMERICS_VERSION`` (:mod:`qat.records.schema`) makes these marks unnecessary.

- ``step_gain``: the gradient of a step that a whole weight shares is scaled by the number of all
  its elements (:meth:`qat.quantizers.learned_scale.LearnedScale.gain`).
- ``weight_range``: the range of a whole weight follows its current extremes in training, and no
  moving average (:meth:`qat.quantizers.minmax.MinMaxQuantizer.observer_method`).
- ``soft_staircase``: the gradients of ``dsq`` are computed in one pass from closed formulas, which
  round otherwise than the operations before.
- ``entropy_levels``: the levels of ``n2uq_weight`` lie half a step beside zero, as in its paper
  (:mod:`qat.quantizers.n2uq_weight`); also in runs that do not train.
- ``free_zero``: the range of least square error with a free zero point is searched for over the
  whole length of each end (:mod:`qat.observers.mse`); also in runs that do not train.
- ``averaged_grid``: averaged zero points are rounded, and averaged scales become powers of two
  where they must be (:mod:`qat.training.aids.averaging`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from qat.config.modes import trains
from qat.config.schema import RunConfig

WITH_GAIN = ("lsq", "ewgs", "tqt")
"""Quantizers of weights whose step or threshold is trained with that gain."""
BY_SQUARE_ERROR = ("mse", "lsq_plus", "dsq")
"""Observer, and quantizers of asymmetric tensors, that search the range of least square error."""
FOLLOWS = ("minmax", "default")
"""Quantizer and observer of weights whose range follows them in training."""


def changed_numbers(config: RunConfig) -> dict[str, str]:
    """The marks of a run.

    Args:
        config: The run's configuration; in mode ``float`` it has none.
    """
    if config.mode == "float":
        return {}
    weights = [*_settings(config, "weight")]
    slots = [*weights, *_settings(config, "act")]
    marks = {}
    if any(_name(slot["quantizer"]) == "n2uq_weight" for slot in weights):
        marks["entropy_levels"] = "beside zero"
    if any(_searches_both_ends(slot) for slot in slots):
        marks["free_zero"] = "whole length"
    learns = trains(config) or (config.mode == "mixed" and config.allocate.name == "learned")
    return marks | (_marks_of_training(config, weights, slots) if learns else {})


def _marks_of_training(
    config: RunConfig, weights: Sequence[Mapping[str, Any]], slots: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    whole = [slot for slot in weights if slot["granularity"] == "tensor"]
    marks = {}
    if any(_name(slot["quantizer"]) in WITH_GAIN for slot in whole):
        marks["step_gain"] = "whole weight"
    if any((_name(s["quantizer"]), _name(s["observer"])) == FOLLOWS for s in whole):
        marks["weight_range"] = "current extremes"
    if any(_name(slot["quantizer"]) == "dsq" for slot in slots):
        marks["soft_staircase"] = "closed formulas"
    if config.aids.average_decay is not None and any(_has_grid_to_settle(slot) for slot in slots):
        marks["averaged_grid"] = "settled"
    return marks


def _settings(config: RunConfig, slot: str) -> Iterator[dict[str, Any]]:
    """The settings of weights or activations: of the scheme, and with the changes of each rule.

    Args:
        config: Of the run.
        slot: ``weight`` or ``act``.
    """
    own = asdict(getattr(config.scheme, slot))
    yield own
    for rule in config.scheme.rules:
        changes = getattr(rule, slot)
        if changes.keys() & {"quantizer", "observer", "granularity", "symmetric"}:
            yield {**own, **changes}


def _searches_both_ends(slot: Mapping[str, Any]) -> bool:
    names = {_name(slot["quantizer"]), _name(slot["observer"])}
    return not slot["symmetric"] and bool(names & set(BY_SQUARE_ERROR))


def _has_grid_to_settle(slot: Mapping[str, Any]) -> bool:
    is_free = slot["symmetric"] and slot["scale"] == "free"
    return _name(slot["quantizer"]) == "minmax" and not is_free


def _name(method: Any) -> str:
    return str(method["name"] if isinstance(method, Mapping) else method)
