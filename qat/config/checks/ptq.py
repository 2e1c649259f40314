"""Checks of the steps of post-training quantization, and those of them that decide a run's id."""

from collections.abc import Sequence
from typing import Any

from qat.base.errors import InputError
from qat.config.checks.rule_specs import NamedSpec, named_specs
from qat.config.modes import is_half, is_static
from qat.config.schema import RunConfig
from qat.core.formats import LOW_BIT_FORMATS, MX_FORMATS, OFF_BITS
from qat.ptq.registry import PTQ_METHODS
from qat.ptq.request import StepRequest, requested_steps
from qat.quantizers.declared import CODEBOOK, DECLARED

ROUNDING = "rounding"
NEEDS_CODES = ("magnitude", ROUNDING)
"""Stages whose steps change weights that are rounded to codes."""
_WITHOUT_LEVELS = {
    **dict.fromkeys(NEEDS_CODES, "which rounds weights to codes"),
    "compensation": "which fits the scales of weights",
}
"""Stage → what its steps do, that weights in some number formats have no place for."""


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
    if weight.format in LOW_BIT_FORMATS:
        return  # _check_levels says more of them
    has_codes = weight.format == "int" and weight.bits != OFF_BITS and not is_half(config)
    for step in steps:
        if step.method.stage in NEEDS_CODES and not has_codes and config.mode != "mixed":
            width = weight.format if weight.format != "int" else f"{weight.bits} bits"
            raise InputError(
                f"ptq has {step.name}, which rounds weights to codes, but the weights are "
                f"{width}: set scheme.weight.bits to 2 to 8{_and_integers(weight.format)}, or "
                f"leave {step.name} out"
            )


def _and_integers(form: str) -> str:
    return "" if form == "int" else " and scheme.weight.format=int"


def _check_levels(config: RunConfig, steps: Sequence[StepRequest]) -> None:
    """Refuse steps that cannot choose among the levels of the weights, before any calibration."""
    for named in named_specs(config):
        for step in steps if named.slot == "weight" else ():
            reason = _no_choice(step, named)
            if reason is not None:
                raise InputError(f"ptq has {step.name}, {reason}")


def _no_choice(step: StepRequest, named: NamedSpec) -> str | None:
    """Why a step cannot change the levels of these weights, with a cure; None if it can."""
    form, name, key = named.spec.format, named.spec.quantizer.name, f"{named.key}.format"
    does = _WITHOUT_LEVELS.get(step.method.stage)
    refused = LOW_BIT_FORMATS if step.method.stage in NEEDS_CODES else MX_FORMATS
    if does is not None and form in refused:
        return f"{does}, but {key}={form}: set {key}=int, or leave {step.name} out"
    declared = DECLARED.get(name)
    if declared is None or form != "int" or not step.method.only_uniform:
        return None
    if declared.levels_in("weight") != CODEBOOK:
        return None
    key = named.quantizer_key
    return (
        f"which learns roundings on uniform grids, but {key}={name} has a codebook: "
        f"set {key}=minmax, or replace {step.name} by {_others()}"
    )


def _others() -> str:
    """The rounding methods that also choose among the levels of a codebook."""
    methods = PTQ_METHODS.items()
    return " or ".join(n for n, m in methods if m.stage == ROUNDING and not m.only_uniform)
