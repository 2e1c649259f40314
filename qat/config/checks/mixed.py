"""Checks of how widths are chosen (mode=mixed)."""

from qat.allocate.registry import ALLOCATORS, PROJECTIONS, WITH_OUTPUTS
from qat.base.allowed import above_zero, one_of
from qat.base.errors import InputError
from qat.config.checks.key_ranges import SEED, TIMES, Range
from qat.config.checks.rule_specs import named_specs
from qat.config.schema import AllocateConfig, MixedConfig, RunConfig, SensitivityConfig
from qat.core.optimizers import OPTIMIZERS
from qat.core.scheme import TensorSpec
from qat.quantizers.declared import SLOTS, unsupported
from qat.sensitivity.registry import METRICS, OUTPUT_METRICS
from qat.sensitivity.widths import INTEGER_LIMIT

LEARNED_OPTIONS = ("epochs", "images", "optimizer", "choice_lr", "price_weight", "lr")
HESSIAN = {"tolerance": Range(0, 1, above=True), "max_probes": TIMES, "seed": SEED}
TOGETHER_OPTIONS: dict[str, dict[str, Range | tuple[str, ...]]] = {
    "clado": {
        "psd": PROJECTIONS,
        "reach": TIMES,
        "seconds": Range(0, 1e6, above=True),
        "check": TIMES,
    },
    "remeasure": {"rounds": TIMES},
}
"""Allocator → option → its range, or its words."""
MAY_BE_NULL = ("reach", "check")
BUDGETS = ("average_weight_bits", "weight_bytes", "bops", "peak_activation_bytes", "latency_ms")


def check_mixed(config: RunConfig) -> None:
    """Refuse settings with which sensitivities cannot be measured, or widths not be allocated.

    Raises:
        ValueError: At the first wrong value or combination.
    """
    if config.mode != "mixed":
        return
    _check_sensitivity(config.sensitivity)
    _check_formats(config)
    _check_allocate(config.allocate)
    _check_together(config.allocate, config.sensitivity)
    _check_then(config.mixed)
    widest = max(config.sensitivity.widths)
    if config.scheme.placement == "integer" and widest > INTEGER_LIMIT:
        raise InputError(
            f"sensitivity.widths has {widest}, but scheme.placement=integer takes 2 to 8 bits: "
            "drop that width, or use scheme.placement=academic"
        )
    if config.scheme.placement == "integer" and config.allocate.name == "learned":
        raise InputError(
            "allocate=learned needs scheme.placement=academic; other allocators take integer"
        )


def _check_sensitivity(sensitivity: SensitivityConfig) -> None:
    user = sensitivity.target is not None
    one_of("sensitivity.metric", sensitivity.metric, [*METRICS, "user"])
    if user != (sensitivity.metric == "user"):
        raise InputError(
            "sensitivity.target and sensitivity.metric=user must be set together, got "
            f"sensitivity.metric={sensitivity.metric} sensitivity.target={sensitivity.target}"
        )
    if not sensitivity.widths:
        raise InputError("sensitivity.widths is empty: give candidate widths, such as [2,4,8]")
    if not sensitivity.slots:
        raise InputError("sensitivity.slots is empty: give weight, act or both")
    for slot in sensitivity.slots:
        one_of("a slot of sensitivity.slots", slot, SLOTS)
    if sensitivity.metric == "weight_mse" and "act" in sensitivity.slots:
        raise InputError(
            "sensitivity.metric=weight_mse scores weights only: set sensitivity.slots=[weight]"
        )
    for key, value in sensitivity.hessian.items():
        one_of("a key of sensitivity.hessian", key, HESSIAN)
        if value not in HESSIAN[key]:
            raise InputError(f"sensitivity.hessian.{key} must be {HESSIAN[key]}, got {value!r}")


def _check_formats(config: RunConfig) -> None:
    """Refuse formats that are not integers, and widths that a quantizer does not have."""
    for named in named_specs(config):
        if named.slot not in config.sensitivity.slots or named.is_fixed:
            continue
        if named.spec.format != "int":
            other = next(slot for slot in SLOTS if slot != named.slot)
            raise InputError(
                f"mode=mixed chooses widths of integers, got {named.key}.format="
                f"{named.spec.format}: set {named.key}.format=int, or sensitivity.slots=[{other}]"
            )
        for width in config.sensitivity.widths:
            reason = None if width > INTEGER_LIMIT else _no_width(named.spec, width)
            if reason is not None:
                cure = f"drop that width, or take {named.quantizer_key}=minmax"
                if named.spec.bits == 1:
                    cure = "take scheme=w4a4"
                raise InputError(
                    f"sensitivity.widths has {width}, but {named.key}.{reason}: {cure}"
                )


def _no_width(spec: TensorSpec, width: int) -> str | None:
    """Why a quantizer cannot have a width; None if it can."""
    return unsupported(spec.quantizer.name, spec.but(bits=width), ("bits",))


def _check_allocate(allocate: AllocateConfig) -> None:
    one_of("allocate.name", allocate.name, [*ALLOCATORS, "user"])
    if allocate.name == "learned":
        _check_learned(allocate)
    if (allocate.name == "user") != (allocate.target is not None):
        raise InputError(
            "allocate.target and allocate=user must be set together, got "
            f"allocate.name={allocate.name} allocate.target={allocate.target}"
        )
    timed = bool(allocate.latency_runs) or allocate.latency_table is not None
    if allocate.latency_ms is not None and not timed:
        raise InputError(
            "allocate.latency_ms needs the measured times of layers: give "
            "allocate.latency_runs=[RUN_DIR,...] of exported runs, or allocate.latency_table=FILE"
        )
    if allocate.latency_runs and allocate.latency_table is not None:
        raise InputError(
            "allocate.latency_runs and allocate.latency_table are two tables of times: drop one"
        )


def _check_learned(allocate: AllocateConfig) -> None:
    """Check the options of allocate=learned: the file of the group has all of them."""
    for key in allocate.options:
        one_of("a key of allocate.options with allocate=learned", key, LEARNED_OPTIONS)
    for key in LEARNED_OPTIONS:
        if key not in allocate.options:
            raise InputError(f"allocate.options lacks {key}: write allocate=learned, which has it")
        if key == "optimizer":
            one_of("allocate.options.optimizer", allocate.options[key], OPTIMIZERS)
        else:
            above_zero(f"allocate.options.{key}", allocate.options[key])
    for name in ("peak_activation_bytes", "latency_ms"):
        if getattr(allocate, name) is not None:
            raise InputError(
                f"allocate.{name} has no price with a gradient, which allocate=learned needs: "
                "take allocate=ilp, greedy or evolve"
            )


def _check_together(allocate: AllocateConfig, sensitivity: SensitivityConfig) -> None:
    """Check the allocators that measure several tensors together: their options, and the metric."""
    if allocate.name not in WITH_OUTPUTS:
        return
    if sensitivity.metric not in (*OUTPUT_METRICS, "user"):
        raise InputError(
            f"allocate={allocate.name} measures tensors together by the outputs, which "
            f"sensitivity.metric={sensitivity.metric} does not read: take one of "
            f"{', '.join(OUTPUT_METRICS)}"
        )
    ranges = TOGETHER_OPTIONS[allocate.name]
    for key, value in allocate.options.items():
        one_of(f"a key of allocate.options with allocate={allocate.name}", key, ranges)
        if (allowed := _allowed(key, value, ranges[key])) is not None:
            raise InputError(f"allocate.options.{key} must be {allowed}, got {value!r}")


def _allowed(key: str, value: object, allowed: Range | tuple[str, ...]) -> str | None:
    """What the option must be; None if it is."""
    if isinstance(allowed, tuple):
        return None if value in allowed else f"one of {', '.join(allowed)}"
    if key in MAY_BE_NULL and value is None:
        return None
    whole = key == "seconds" or isinstance(value, int)
    word = "" if key == "seconds" else "a whole number, "
    return None if value in allowed and whole else f"{word}{allowed}"


def _check_then(mixed: MixedConfig) -> None:
    one_of("mixed.then", mixed.then, ("static", "qat"))
