"""Checks of how widths are chosen (mode=mixed): nothing is imported, opened or computed here."""

from qat.base.errors import InputError
from qat.cli.mixed_names import ALLOCATORS, SENSITIVITIES
from qat.cli.ranges import above_zero, at_least, one_of
from qat.cli.schema import AllocateConfig, MixedConfig, RunConfig, SensitivityConfig

WIDTHS = (2, 3, 4, 5, 6, 7, 8, 16, 32)
SLOTS = ("weight", "act")
LEARNED_OPTIONS = ("epochs", "images", "optimizer", "choice_lr", "price_weight", "lr")
OPTIMIZERS = ("sgd", "adam", "adamw")
FEWEST_PLANS = 5
BUDGETS = ("average_weight_bits", "weight_bytes", "bops", "peak_activation_bytes", "latency_ms")


def check_mixed(config: RunConfig) -> None:
    """Refuse what cannot be measured or allocated.

    Raises:
        ValueError: At the first thing that is wrong.
    """
    if config.mode != "mixed":
        return
    _check_sensitivity(config.sensitivity)
    _check_allocate(config.allocate)
    _check_then(config.mixed)
    widest = max(config.sensitivity.widths)
    if config.scheme.placement == "integer" and widest > 8:
        raise InputError(
            f"sensitivity.widths has {widest}: scheme.placement=integer takes 2 to 8 bits; drop "
            "it, or use scheme.placement=academic"
        )
    if config.scheme.placement == "integer" and config.allocate.name == "learned":
        raise InputError(
            "allocate=learned needs scheme.placement=academic; other allocators take integer"
        )


def _check_sensitivity(sensitivity: SensitivityConfig) -> None:
    user = sensitivity.target is not None
    one_of("sensitivity.metric", sensitivity.metric, [*SENSITIVITIES, "user"])
    if user != (sensitivity.metric == "user"):
        raise InputError(
            "sensitivity.target goes with sensitivity.metric=user and only with it, got "
            f"sensitivity.metric={sensitivity.metric} sensitivity.target={sensitivity.target}"
        )
    if not sensitivity.widths:
        raise InputError("sensitivity.widths is empty: give candidate widths, such as [2,4,8]")
    for width in sensitivity.widths:
        _check_width("a width of sensitivity.widths", width)
    if not sensitivity.slots:
        raise InputError("sensitivity.slots is empty: give weight, act or both")
    for slot in sensitivity.slots:
        one_of("a slot of sensitivity.slots", slot, SLOTS)
    if sensitivity.metric == "weight_mse" and "act" in sensitivity.slots:
        raise InputError(
            "sensitivity.metric=weight_mse looks at weights alone: set sensitivity.slots=[weight]"
        )
    at_least("sensitivity.images", sensitivity.images, 1)
    at_least("sensitivity.batch_size", sensitivity.batch_size, 1)
    at_least("sensitivity.seed", sensitivity.seed, 0)
    for key in sensitivity.hessian:
        one_of("a key of sensitivity.hessian", key, ("tolerance", "max_probes", "seed"))


def _check_allocate(allocate: AllocateConfig) -> None:
    one_of("allocate.name", allocate.name, ALLOCATORS)
    if allocate.name == "learned":
        _check_learned(allocate)
    if (allocate.name == "user") != (allocate.target is not None):
        raise InputError(
            "allocate.target goes with allocate=user and only with it, got "
            f"allocate.name={allocate.name} allocate.target={allocate.target}"
        )
    for name in (*BUDGETS, "uniform_bits"):
        above_zero(f"allocate.{name}", getattr(allocate, name))
    if allocate.default_bits is not None:
        _check_width("allocate.default_bits", allocate.default_bits)
    timed = bool(allocate.latency_runs) or allocate.latency_table is not None
    if allocate.latency_ms is not None and not timed:
        raise InputError(
            "allocate.latency_ms needs the measured times of layers: give "
            "allocate.latency_runs=[RUN_DIR,...] of exported runs, or allocate.latency_table=FILE"
        )
    if allocate.latency_runs and allocate.latency_table is not None:
        raise InputError(
            "allocate.latency_runs and allocate.latency_table are two tables: drop one"
        )


def _check_learned(allocate: AllocateConfig) -> None:
    """Its options are all there, as the group's file gives them."""
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


def _check_width(key: str, width: int) -> None:
    if width not in WIDTHS:
        raise InputError(f"{key} must be 2 to 8, 16 (fp16) or 32 (float), got {width}")


def _check_then(mixed: MixedConfig) -> None:
    one_of("mixed.then", mixed.then, ("static", "qat"))
    if mixed.check_plans:
        at_least("mixed.check_plans, if any,", mixed.check_plans, FEWEST_PLANS)
    at_least("mixed.check_plans", mixed.check_plans, 0)
    at_least("mixed.check_images", mixed.check_images, 1)
    at_least("mixed.check_seed", mixed.check_seed, 0)
