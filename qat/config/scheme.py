"""From the typed configuration to a quantization scheme (:class:`qat.core.scheme.Scheme`)."""

from collections.abc import Mapping
from typing import Any

from qat.base.errors import InputError
from qat.config.modes import trains
from qat.config.schema import RuleConfig, RunConfig, SlotConfig
from qat.core.formats import LOW_BIT_FORMATS
from qat.core.scheme import Method, Rule, Scheme, TensorSpec
from qat.quantizers.declared import DECLARED

_METHOD_KEYS = {"name", "target", "options"}
SHORT_TRAINING_EPOCHS = 10
"""Up to so many epochs, methods that learn a range start at that of least squared error; a longer
training starts where the method's paper does, and finds its own."""
_SETTLED = ("start", "clip")
"""Options of quantizers whose value ``auto`` is settled by the length of the training."""


def build_scheme(config: RunConfig) -> Scheme:
    """The scheme of a configuration, with ``auto`` replaced by what it stands for.

    Raises:
        ValueError: If a value or a combination is not allowed.
    """
    scheme = config.scheme
    return Scheme(
        weight=_spec(config, scheme.weight),
        act=_act_spec(config),
        first_last=8 if scheme.first_last == "8" else scheme.first_last,
        placement=scheme.placement,
        rules=tuple(_rule(config, rule) for rule in scheme.rules),
        quantize_output=scheme.quantize_output,
    )


def settled_start(config: RunConfig, observer: str) -> str:
    """What ``start: auto`` (LSQ and other methods that learn a range) stands for.

    Args:
        config: Of the run.
        observer: Name of the slot's observer.

    Returns:
        ``observer`` if the user names an observer; else ``paper`` (the paper's formula) for a
        training of more than 10 epochs; else ``mse`` (least squared error).
    """
    if observer != "default":
        return "observer"
    trains_long = trains(config) and config.trainer.max_epochs > SHORT_TRAINING_EPOCHS
    return "paper" if trains_long else "mse"


def _act_spec(config: RunConfig) -> TensorSpec:
    spec = _spec(config, config.scheme.act)
    if config.mode != "dynamic" or spec.is_off:
        return spec
    if spec.format in LOW_BIT_FORMATS:
        raise InputError(
            f"mode=dynamic has integer activations, got scheme.act.format={spec.format}: set "
            "mode=static, or scheme.act.format=int"
        )
    if spec.bits == 1:
        raise InputError(
            "mode=dynamic has activations of 2 bits or more, got scheme.act.bits=1: set "
            "scheme.act.bits=8, or mode=static"
        )
    if spec.granularity != "tensor":
        raise InputError(
            f"scheme.act.granularity must be tensor in mode=dynamic, got {spec.granularity}: "
            "the range is that of a whole batch"
        )
    if spec.signed or spec.narrow:
        raise InputError(
            "mode=dynamic has unsigned asymmetric activations, as ONNX DynamicQuantizeLinear has: "
            "leave out scheme.act.signed and scheme.act.narrow"
        )
    method, observer = Method("dynamic"), Method("default")
    return spec.but(signed=False, symmetric=False, quantizer=method, observer=observer)


def _spec(config: RunConfig, slot: SlotConfig) -> TensorSpec:
    return TensorSpec(
        format=slot.format,
        bits=slot.bits,
        signed=slot.signed,
        symmetric=slot.symmetric,
        narrow=slot.narrow,
        granularity=slot.granularity,
        group_size=slot.group_size,
        scale=slot.scale,
        quantizer=_quantizer(config, slot.quantizer, slot.target, slot.options, slot.observer),
        observer=Method(slot.observer, slot.observer_target, dict(slot.observer_options)),
    )


def _quantizer(
    config: RunConfig, name: str, target: str | None, options: Mapping[str, Any], observer: str
) -> Method:
    settled = dict(options)
    for option in _SETTLED:
        if option in _options_of(name) and settled.get(option, "auto") == "auto":
            settled[option] = settled_start(config, observer)
    return Method(name, target, settled)


def _options_of(name: str) -> tuple[str, ...]:
    return DECLARED[name].options if name in DECLARED else ()


def _rule(config: RunConfig, rule: RuleConfig) -> Rule:
    return Rule(
        match=rule.match,
        weight=_rule_changes(config, rule.weight),
        act=_rule_changes(config, rule.act),
        keep_float=rule.keep_float,
    )


def _rule_changes(config: RunConfig, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a rule; each name (or mapping ``{name, target, options}``) becomes a method."""
    settled = dict(changes)
    observer = _named(settled.get("observer", "default"))
    if "observer" in settled:
        settled["observer"] = observer
    if "quantizer" in settled:
        method = _named(settled["quantizer"])
        settled["quantizer"] = _quantizer(
            config, method.name, method.target, method.options, observer.name
        )
    return settled


def _named(value: str | Mapping[str, Any]) -> Method:
    if isinstance(value, str):
        return Method(value)
    if not isinstance(value, Mapping) or "name" not in value or value.keys() - _METHOD_KEYS:
        raise InputError(
            "a rule's quantizer or observer is a name, or a mapping with name and, if needed, "
            f"target and options; got {value!r}"
        )
    return Method(**value)
