"""Checks of the steps of post-training quantization, and those of them that decide a run's id."""

from collections.abc import Sequence
from typing import Any

from qat.base.errors import InputError
from qat.config.checks.key_ranges import OFF_BITS
from qat.config.modes import is_half, is_static
from qat.config.schema import RunConfig
from qat.ptq.request import StepRequest, requested_steps

NEEDS_CODES = ("magnitude", "rounding")
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
