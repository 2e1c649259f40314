"""Checks of quantizers against what they declare, before anything is computed."""

from collections.abc import Iterator

from qat.base.errors import InputError
from qat.config.checks.method_options import check_options
from qat.config.schema import RunConfig
from qat.config.scheme import build_scheme
from qat.core.formats import LOW_BIT_FORMATS
from qat.core.scheme import TensorSpec
from qat.quantizers.declared import DECLARED, supporting, unsupported

_HELD = ("format", "bits", "granularity", "symmetric", "signed", "narrow", "scale")


def check_methods(config: RunConfig) -> None:
    """Refuse settings that the quantizer of a slot or of a rule cannot have.

    Raises:
        ValueError: At the first such setting, with the overrides to write instead.
    """
    if config.mode == "float":
        return
    scheme = build_scheme(config)
    for slot, key, spec in _slots(config):
        check_options(key, spec.quantizer)
        _check(slot, key, spec, scheme.placement)
    for number, rule in enumerate(scheme.rules):
        for slot in ("weight", "act"):
            changes = getattr(rule, slot)
            if "quantizer" in changes:
                check_options(f"scheme.rules[{number}].{slot}.quantizer", changes["quantizer"])
            if "quantizer" in changes and slot not in _slots_of(changes["quantizer"].name):
                key = f"scheme.rules[{number}].{slot}.quantizer"
                raise InputError(_of_another_slot(key, changes["quantizer"].name, slot))


def _slots(config: RunConfig) -> Iterator[tuple[str, str, TensorSpec]]:
    """Slot, key and spec of weights and, unless the mode chooses their quantizer, activations."""
    scheme = build_scheme(config)
    yield "weight", "scheme.weight", scheme.weight
    if config.mode != "dynamic":
        yield "act", "scheme.act", scheme.act


def _check(slot: str, key: str, spec: TensorSpec, placement: str) -> None:
    name = spec.quantizer.name
    declared = DECLARED.get(name)
    if declared is None or spec.is_off or spec.format == "fp16":
        return
    if slot not in declared.slots:
        raise InputError(_of_another_slot(f"quantizer@{key}", name, slot))
    if spec.format in LOW_BIT_FORMATS and placement != "academic":
        raise InputError(
            f"{key}.format={spec.format} has no scheme.placement={placement}, whose codes are "
            f"integers: set scheme.placement=academic, or {key}.format=int"
        )
    reason = unsupported(name, spec, _HELD)
    if reason is not None:
        raise InputError(f"{key}.{reason}: {_cure(slot, key, spec, reason)}")
    if placement not in declared.placements:
        raise InputError(
            f"quantizer@{key}={name} has no scheme.placement={placement}: set "
            f"scheme.placement={declared.placements[0]}, or quantizer@{key}=minmax"
        )
    for option in ("start", "clip"):
        start = spec.quantizer.options.get(option) if option in declared.options else None
        if start in ("mse", "paper") and spec.observer.name != "default":
            other = "mse" if name == "apot" else "observer"
            if start == other:  # apot searches in the range of its observer
                continue
            raise InputError(
                f"{key}: {name} with {option}={start} would ignore the observer "
                f"{spec.observer.name!r}; set {key}.options.{option}={other} or "
                f"observer@{key}=default"
            )
    ignores = declared.ignores_observer or (name == "dorefa" and slot == "weight")
    if ignores and spec.observer.name != "default":
        raise InputError(
            f"quantizer@{key}={name} needs no observer and would ignore "
            f"observer@{key}={spec.observer.name}: leave it out"
        )


def _cure(slot: str, key: str, spec: TensorSpec, reason: str) -> str:
    """What to write instead: another value of the field, or another quantizer."""
    field = reason.partition("=")[0]
    value = getattr(spec, field)
    allowed = reason.rpartition("=")[2].removesuffix(")")
    first = allowed.partition(" or ")[0].partition(" to ")[0]
    others = supporting(slot, **{field: value})
    other = "minmax" if "minmax" in others or not others else others[0]
    return f"set {key}.{field}={first}, or quantizer@{key}={other}"


def _slots_of(name: str) -> tuple[str, ...]:
    declared = DECLARED.get(name)
    return ("weight", "act") if declared is None else declared.slots


def _of_another_slot(key: str, name: str, slot: str) -> str:
    words = {"weight": "weights", "act": "activations"}
    return (
        f"{key}={name}: {name} does not quantize {words[slot]}; "
        f"there are {', '.join(supporting(slot))}"
    )
