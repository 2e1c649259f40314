"""Names of the runs of a sweep, before any of them has run."""

from collections.abc import Mapping, Sequence
from typing import Any

from qat.config.checks.ptq import ptq_steps
from qat.config.compose import Point
from qat.config.modes import model_name
from qat.config.schema import RunConfig, SlotConfig
from qat.records.names import Named, NameWords, difference_words
from qat.records.run_facts import target_word
from qat.records.settings import flat, slot_settings
from qat.run.request.identity import DataFacts, number_settings

_NO_FACTS = DataFacts("", (), ())
# A method of the user's is named by its target.
_METHODS = (("allocate.name", "allocate.target"), ("sensitivity.metric", "sensitivity.target"))


def point_words(points: Sequence[Point]) -> list[NameWords]:
    """The words that distinguish each point from the others, for the names of the runs.

    Args:
        points: The different runs of a sweep.
    """
    return difference_words(
        [Named(_base(p.config), config_settings(p.config), p.overrides) for p in points]
    )


def config_settings(config: RunConfig) -> dict[str, Any]:
    """Key → value of all settings that affect the run's numbers."""
    settings = dict(flat(number_settings(config, _NO_FACTS)))
    for slot, tensor in (("weight", config.scheme.weight), ("act", config.scheme.act)):
        key = f"scheme.{slot}"
        settings = {k: v for k, v in settings.items() if not k.startswith(f"{key}.")}
        if config.mode != "float":
            settings |= slot_settings(key, _spec(tensor))
    settings["model.name"] = model_name(config.model)
    for name, target in _METHODS:
        if (own := settings.pop(target, None)) is not None:
            settings[name] = target_word(own)
    return {key: value for key, value in settings.items() if value is not None}


def _base(config: RunConfig) -> str:
    """The part of the label about widths, steps of ``ptq``, mode and seed."""
    if config.mode == "float":
        return f"float {config.float.seed}"
    slots = (config.scheme.weight, config.scheme.act)
    widths = [f"{slot.format}{slot.bits}{slot.quantizer}" for slot in slots]
    steps = "+".join(step.name for step in ptq_steps(config))
    return f"{' '.join(widths)} {steps} {config.mode} {config.seed}"


def _spec(slot: SlotConfig) -> Mapping[str, Any]:
    """The settings of a slot in the form of a plan."""
    return {
        "format": "float" if slot.bits == 32 else slot.format,
        "symmetric": slot.symmetric,
        "signed": slot.signed,
        "narrow": slot.narrow,
        "scale": slot.scale,
        "granularity": slot.granularity,
        "group_size": slot.group_size,
        "quantizer": {"name": slot.quantizer, "target": slot.target, "options": slot.options},
        "observer": {
            "name": slot.observer,
            "target": slot.observer_target,
            "options": slot.observer_options,
        },
    }
