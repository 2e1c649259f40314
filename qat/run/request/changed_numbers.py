"""Marks in a run's identity, where a change of this program moves the numbers of some runs only.

A run that has a mark is not found under the id that it had before the change; all other runs keep
their ids. The next ``NUMERICS_VERSION`` (:mod:`qat.records.schema`) makes these marks unnecessary.

- ``step_gain``: the gradient of a step that a whole weight shares is scaled by the number of all
  its elements (:meth:`qat.quantizers.learned_scale.LearnedScale.gain`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from qat.config.modes import trains
from qat.config.schema import RunConfig

WITH_GAIN = ("lsq", "ewgs", "tqt")
"""Quantizers of weights whose step or threshold is trained with that gain."""


def changed_numbers(config: RunConfig) -> dict[str, str]:
    """The marks of a run.

    Args:
        config: The run's configuration; in mode ``float`` it has none.
    """
    if config.mode == "float":
        return {}
    learns = trains(config) or (config.mode == "mixed" and config.allocate.name == "learned")
    if learns and any(n in WITH_GAIN and g == "tensor" for n, g in _of_weights(config)):
        return {"step_gain": "whole weight"}
    return {}


def _of_weights(config: RunConfig) -> Iterator[tuple[str, str]]:
    """Quantizer and granularity of weights: of the scheme, and with the changes of each rule."""
    own = asdict(config.scheme.weight)
    yield _method(own)
    for rule in config.scheme.rules:
        if rule.weight.keys() & {"quantizer", "granularity"}:
            yield _method({**own, **rule.weight})


def _method(settings: Mapping[str, Any]) -> tuple[str, str]:
    quantizer = settings["quantizer"]
    name = quantizer["name"] if isinstance(quantizer, Mapping) else quantizer
    return str(name), str(settings["granularity"])
