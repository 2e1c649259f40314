"""Marks in a run's identity, where a change of this program moves the numbers of some runs only.

A run that has a mark is not found under the id that it had before the change; all other runs keep
their ids. The next ``NUMERICS_VERSION`` (:mod:`qat.records.schema`) makes these marks unnecessary.

- ``step_gain``: the gradient of a step that a whole weight shares is scaled by the number of all
  its elements (:meth:`qat.quantizers.learned_scale.LearnedScale.gain`).
- ``codebooks``: a packed file has the levels that all channels share once, and a scale for each
  channel (:mod:`qat.export.packed.content`), so it is smaller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from qat.config.modes import trains
from qat.config.schema import RunConfig
from qat.quantizers.declared import CODEBOOK, DECLARED

WITH_GAIN = ("lsq", "ewgs", "tqt")
"""Quantizers of weights whose step or threshold is trained with that gain."""
OWN_LEVELS = ("lqnets",)
"""Quantizers whose codebook has levels of each slice; those of the others differ by a scale."""


def changed_numbers(config: RunConfig) -> dict[str, str]:
    """The marks of a run.

    Args:
        config: The run's configuration; in mode ``float`` it has none.
    """
    if config.mode == "float":
        return {}
    marks = {}
    learns = trains(config) or (config.mode == "mixed" and config.allocate.name == "learned")
    if learns and any(
        slot == "weight" and name in WITH_GAIN and granularity == "tensor"
        for slot, name, granularity in _methods(config)
    ):
        marks["step_gain"] = "whole weight"
    if any(
        _has_codebook(slot, name) and name not in OWN_LEVELS and granularity != "tensor"
        for slot, name, granularity in _methods(config)
    ):
        marks["codebooks"] = "shared"
    return marks


def _has_codebook(slot: str, name: str) -> bool:
    return name in DECLARED and DECLARED[name].levels_in(slot) == CODEBOOK


def _methods(config: RunConfig) -> Iterator[tuple[str, str, str]]:
    """Slot, quantizer and granularity of the scheme, and with the changes of each rule."""
    for slot, own in (("weight", config.scheme.weight), ("act", config.scheme.act)):
        yield _method(slot, asdict(own))
        for rule in config.scheme.rules:
            changes = rule.weight if slot == "weight" else rule.act
            if changes.keys() & {"quantizer", "granularity"}:
                yield _method(slot, {**asdict(own), **changes})


def _method(slot: str, settings: Mapping[str, Any]) -> tuple[str, str, str]:
    quantizer = settings["quantizer"]
    name = quantizer["name"] if isinstance(quantizer, Mapping) else quantizer
    return slot, str(name), str(settings["granularity"])
