"""Checks of the aids of the quantized training against the scheme."""

from collections.abc import Iterator

from qat.base.errors import InputError
from qat.config.checks.ptq import NEEDS_CODES, ptq_steps
from qat.config.modes import trains
from qat.config.schema import RunConfig
from qat.config.scheme import build_scheme
from qat.config.training_specs import aids_spec
from qat.core.raised_plan import raised_spec
from qat.core.scheme import TensorSpec
from qat.quantizers.declared import unsupported

KEY = "aids.progressive_bits"


def check_aids(config: RunConfig) -> None:
    """Refuse widths before the scheme's own that lower nothing, or that a quantizer cannot have.

    Raises:
        ValueError: At the first mistake, with what to write instead.
    """
    widths = aids_spec(config).progressive_bits if trains(config) else ()
    if not widths:
        return
    shown = f"{KEY}=[{','.join(map(str, widths))}]"
    specs = dict(_rounded(config))
    if not specs:
        raise InputError(f"{shown}: the scheme has no integer codes to lower; leave it out")
    chosen = config.sensitivity.widths if config.mode == "mixed" else None
    narrowest = min(chosen or [spec.bits for spec in specs.values()])
    if widths[-1] <= narrowest:
        raise InputError(
            f"{shown} ends at {widths[-1]} bits, which are no more than the scheme's {narrowest}: "
            f"give widths above {narrowest}, or leave it out"
        )
    for key, spec in specs.items():
        for bits in widths:
            _check_width(shown, key, raised_spec(spec, bits))
    for step in ptq_steps(config):
        if step.method.stage in NEEDS_CODES:
            raise InputError(
                f"{shown} trains before the scheme's own width, and would undo ptq={step.name}, "
                f"which rounds weights of that width: leave one of the two out"
            )


def _rounded(config: RunConfig) -> Iterator[tuple[str, TensorSpec]]:
    """Key and spec of each slot with integer codes."""
    scheme = build_scheme(config)
    for key, spec in (("scheme.weight", scheme.weight), ("scheme.act", scheme.act)):
        if spec.format == "int" and not spec.is_off:
            yield key, spec


def _check_width(shown: str, key: str, spec: TensorSpec) -> None:
    reason = unsupported(spec.quantizer.name, spec, ("bits",))
    if reason is not None:
        raise InputError(
            f"{shown} needs {spec.bits} bits in {key}; {reason}: leave {KEY} out, or take "
            f"quantizer@{key}=lsq"
        )
