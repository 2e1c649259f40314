"""Checks of the steps of post-training quantization, and those of them that decide a run's id."""

from collections.abc import Iterator, Sequence
from typing import Any

from qat.base.errors import InputError
from qat.config.checks.key_ranges import OFF_BITS
from qat.config.modes import is_half, is_static
from qat.config.schema import RunConfig
from qat.config.scheme import build_scheme
from qat.core.formats import LOW_BIT_FORMATS
from qat.core.scheme import Method
from qat.ptq.registry import PTQ_METHODS
from qat.ptq.request import StepRequest, requested_steps
from qat.quantizers.declared import CODEBOOK, DECLARED

ROUNDING = "rounding"
NEEDS_CODES = ("magnitude", ROUNDING)
"""Stages whose steps change weights that are rounded to codes."""


def check_ptq(config: RunConfig) -> None:
    """Refuse steps that are unknown, in a wrong order, or that the mode cannot have.

    Raises:
        ValueError: At the first mistake, with what to write instead.
    """
    steps = ptq_steps(config)
    if not steps:
        return
    if not is_static(config):
        why = "quantizes nothing" if config.mode == "float" else "calibrates nothing"
        raise InputError(
            f"ptq=[{','.join(step.name for step in steps)}] changes networks with fixed ranges, "
            f"and mode={config.mode} {why}: use mode=static, qat or mixed, or leave ptq out"
        )
    _check_norms(config, steps)
    _check_codes(config, steps)
    _check_levels(config, steps)


def ptq_steps(config: RunConfig) -> tuple[StepRequest, ...]:
    """The steps of a configuration, with all options.

    Raises:
        ValueError: If a name, an option or the order is wrong.
    """
    return requested_steps(config.ptq, config.ptq_options.preset)


def ptq_settings(config: RunConfig) -> dict[str, Any]:
    """The settings that a run's numbers depend on; empty without steps.

    So a run without steps has the same id as one from before there were steps. The preset is not
    among them: the values that it gives are.
    """
    if not config.ptq:
        return {}
    options = config.ptq_options
    steps = [step.to_plain() for step in ptq_steps(config)]
    return {"ptq": {"steps": steps, "images": options.images, "batch_size": options.batch_size}}


def _check_norms(config: RunConfig, steps: Sequence[StepRequest]) -> None:
    if config.scheme.placement != "integer":
        return
    for step in steps:
        if step.method.needs_norms:
            raise InputError(
                f"ptq has {step.name}, but scheme.placement=integer folds every batch norm: use "
                f"scheme.placement=academic, or leave {step.name} out"
            )


def _check_codes(config: RunConfig, steps: Sequence[StepRequest]) -> None:
    weight = config.scheme.weight
    has_codes = weight.format == "int" and weight.bits != OFF_BITS and not is_half(config)
    for step in steps:
        if step.method.stage in NEEDS_CODES and not has_codes and config.mode != "mixed":
            width = weight.format if weight.format != "int" else f"{weight.bits} bits"
            raise InputError(
                f"ptq has {step.name}, which rounds weights to codes, but the weights are "
                f"{width}: set scheme.weight.bits to 2 to 8, or leave {step.name} out"
            )


def _check_levels(config: RunConfig, steps: Sequence[StepRequest]) -> None:
    """Refuse steps that cannot choose among the levels of the weights, before any calibration."""
    for place, form, method in _weight_methods(config):
        for step in steps:
            reason = _no_choice(step, place, form, method)
            if reason is not None:
                raise InputError(f"ptq has {step.name}, {reason}")


def _weight_methods(config: RunConfig) -> Iterator[tuple[str, str, Method]]:
    """Place, format and quantizer of the weights, and of those that a rule changes."""
    scheme = build_scheme(config)
    base = scheme.weight
    if not base.is_off:
        yield "scheme.weight", base.format, base.quantizer
    for number, rule in enumerate(scheme.rules):
        own = {"format": base.format, "bits": base.bits, "quantizer": base.quantizer, **rule.weight}
        is_off = own["bits"] == OFF_BITS or own["format"] == "float"
        if rule.weight.keys() & {"format", "bits", "quantizer"} and not is_off:
            yield f"scheme.rules[{number}].weight", own["format"], own["quantizer"]


def _no_choice(step: StepRequest, place: str, form: str, method: Method) -> str | None:
    """Why a step cannot choose among the levels of a method, with a cure; None if it can."""
    if step.method.stage in NEEDS_CODES and form in LOW_BIT_FORMATS:
        return (
            f"which rounds weights to codes, but {place}.format={form}: set {place}.format=int, "
            f"or leave {step.name} out"
        )
    declared = DECLARED.get(method.name)
    if declared is None or form != "int" or not step.method.only_uniform:
        return None
    if declared.levels_in("weight") != CODEBOOK:
        return None
    key = f"{place}.quantizer" if "rules" in place else f"quantizer@{place}"
    return (
        f"which learns roundings on uniform grids, but {key}={method.name} has a codebook: set "
        f"{key}=minmax, or replace {step.name} by {_others()}"
    )


def _others() -> str:
    """The rounding methods that also choose among the levels of a codebook."""
    methods = PTQ_METHODS.items()
    return " or ".join(n for n, m in methods if m.stage == ROUNDING and not m.only_uniform)
