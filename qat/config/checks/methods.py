"""Checks of combinations of a quantizer and its settings."""

from qat.base.errors import InputError
from qat.config.checks.key_ranges import OFF_BITS
from qat.config.schema import RunConfig, SlotConfig


def check_methods(config: RunConfig) -> None:
    """Refuse settings that a slot's quantizer cannot have.

    Raises:
        ValueError: At the first such setting, with the overrides to write instead.
    """
    if config.mode == "float":
        return
    _check_lsq("scheme.weight", config.scheme.weight)
    if config.mode != "dynamic":  # there the activations have the dynamic quantizer
        _check_lsq("scheme.act", config.scheme.act)


def _check_lsq(key: str, slot: SlotConfig) -> None:
    if slot.quantizer != "lsq" or slot.bits == OFF_BITS or slot.format != "int":
        return
    other = f"quantizer@{key}=minmax"
    if not slot.symmetric:
        raise InputError(
            f"{key}.symmetric=false: lsq learns a step and no zero point; set {key}.symmetric=true "
            f"or {other}"
        )
    if slot.scale != "free":
        raise InputError(
            f"{key}.scale={slot.scale}: lsq learns a free step; set {key}.scale=free or {other}"
        )
    start = slot.options.get("start", "auto")
    if start in ("mse", "paper") and slot.observer != "default":
        raise InputError(
            f"{key}: lsq with start={start} would ignore the observer {slot.observer!r}; set "
            f"{key}.options.start=observer or observer@{key}=default"
        )
