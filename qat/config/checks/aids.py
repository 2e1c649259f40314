"""Checks of the aids of the quantized training against the scheme."""

from qat.base.errors import InputError
from qat.config.checks.ptq import NEEDS_CODES, ptq_steps
from qat.config.checks.rule_specs import NamedSpec, named_specs
from qat.config.modes import trains
from qat.config.schema import RunConfig
from qat.config.scheme import build_scheme
from qat.config.training_specs import aids_spec
from qat.core.raised_plan import raised_spec
from qat.core.scheme import TensorSpec
from qat.quantizers.declared import DECLARED, UNIFORM, unsupported

KEY = "aids.progressive_bits"
ON_BINS = ("dampening", "freeze_first", "bin_regularization")


def check_aids(config: RunConfig) -> None:
    """Refuse aids that the scheme's weights cannot have, and widths that lower nothing.

    Raises:
        ValueError: At the first mistake, with what to write instead.
    """
    if trains(config):
        _check_bins(config)
    widths = aids_spec(config).progressive_bits if trains(config) else ()
    if not widths:
        return
    shown = f"{KEY}=[{','.join(map(str, widths))}]"
    rounded = [named for named in named_specs(config) if named.spec.format == "int"]
    if not rounded:
        raise InputError(f"{shown}: the scheme has no integer codes to lower; leave it out")
    chosen = config.sensitivity.widths if config.mode == "mixed" else None
    narrowest = min(chosen or [named.spec.bits for named in rounded])
    if widths[-1] <= narrowest:
        raise InputError(
            f"{shown} ends at {widths[-1]} bits, which are no more than the scheme's {narrowest}: "
            f"give widths above {narrowest}, or leave it out"
        )
    for named in rounded:
        for bits in widths:
            _check_width(shown, named, raised_spec(named.spec, bits))
    for step in ptq_steps(config):
        if step.method.stage in NEEDS_CODES:
            raise InputError(
                f"{shown} trains before the scheme's own width, and would undo ptq={step.name}, "
                f"which rounds weights of that width: leave one of the two out"
            )


def _check_bins(config: RunConfig) -> None:
    """Refuse terms on the bins of weights that have none whose middle is the level."""
    aids, weight = config.aids, build_scheme(config).weight
    asked = {name: getattr(aids, name) for name in ON_BINS if getattr(aids, name) is not None}
    weights = [named.spec for named in named_specs(config) if named.slot == "weight"]
    if not asked or any(_may_have_bins(spec) for spec in weights):
        return
    rounds = weight.format == "int" and not weight.is_off
    name, value = next(iter(asked.items()))
    kind = weight.quantizer.name if rounds else f"{weight.format} of {weight.bits} bits"
    cure = "take quantizer@scheme.weight=lsq" if rounds else "take scheme=w4a4"
    raise InputError(
        f"aids.{name}={value} works on weights that are rounded to the nearest level of a uniform "
        f"grid, which those of {kind} are not: leave it out, or {cure}"
    )


def _may_have_bins(spec: TensorSpec) -> bool:
    """Whether weights are rounded to the nearest of even levels; a user's method may do so."""
    declared = DECLARED.get(spec.quantizer.name)
    if declared is None:
        return True
    rounds = spec.format == "int" and declared.levels_in("weight") == UNIFORM
    return rounds and declared.keeps_levels


def _check_width(shown: str, named: NamedSpec, spec: TensorSpec) -> None:
    reason = unsupported(spec.quantizer.name, spec, ("bits",))
    if reason is not None:
        raise InputError(
            f"{shown} needs {spec.bits} bits in {named.key}; {reason}: leave {KEY} out, or take "
            f"{named.quantizer_key}=lsq"
        )
