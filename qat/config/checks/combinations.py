"""Checks of a configuration that types cannot express: ranges, names and combinations.

The checks read only the typed configuration: they open no files, and they import no methods and no
networks. Each raises ``ValueError`` with the key in full, its value, and what is allowed.
"""

from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.base.plain_names import check_plain_name
from qat.base.plurals import counted
from qat.config.checks.aids import check_aids
from qat.config.checks.deployment import check_deployment
from qat.config.checks.key_ranges import check_ranges
from qat.config.checks.memory import check_memory
from qat.config.checks.methods import check_methods
from qat.config.checks.mixed import check_mixed
from qat.config.checks.number_formats import NUMBER_FORMATS, check_format, check_one_bit
from qat.config.checks.plan import check_plan
from qat.config.checks.ptq import check_ptq
from qat.config.modes import trains
from qat.config.schema import (
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    RunConfig,
    SlotConfig,
)
from qat.config.training_specs import check_training
from qat.core.optimizers import OPTIMIZERS
from qat.models.names import MEMORY_FORMATS
from qat.training.specs import ACCELERATORS, COMPILES, KEEPS, PRECISIONS, SCHEDULES

PLACEMENTS = ("academic", "integer")
MODES = ("float", "dynamic", "static", "qat", "mixed")
KERNELS = ("auto", "compiled", "eager")
SOURCES = ("builtin", "torchvision", "timm", "user")
RULE_KEYS = (
    *("format", "bits", "signed", "symmetric", "narrow"),
    *("granularity", "group_size", "scale", "quantizer", "observer"),
)
"""Settings of a slot that a rule may change."""


def check_config(config: RunConfig) -> None:
    """Check a whole configuration, in the order of its groups.

    Raises:
        ValueError: At the first wrong value or combination.
    """
    one_of("mode", config.mode, MODES)
    one_of("kernel", config.kernel, KERNELS)
    check_ranges(config)
    check_plain_name("scale", config.scale)
    if config.study.name is not None:
        check_plain_name("study.name", config.study.name)
    for scale in config.study.scales:
        check_plain_name("study.scales", scale)
    _check_model(config.model)
    _check_data(config.data)
    _check_float(config)
    _check_slot("scheme.weight", config.scheme.weight)
    _check_slot("scheme.act", config.scheme.act)
    _check_scheme(config)
    check_plan(config)
    _check_optimizer("optimizer", config.optimizer)
    one_of("schedule.name", config.schedule.name, SCHEDULES)
    _check_trainer(config)
    check_training(config)
    check_methods(config)
    check_deployment(config)
    check_memory(config)
    check_mixed(config)
    check_ptq(config)
    check_aids(config)


def _check_model(model: ModelConfig) -> None:
    one_of("model.source", model.source, SOURCES)
    if (model.source == "user") != (model.target is not None):
        raise InputError(
            f"model.target and model=user must be set together, got model.source={model.source} "
            f"model.target={model.target}; write model=user model.target=package.module:factory"
        )
    if model.download and (model.source != "timm" or model.weights is None):
        raise InputError(
            "model.download=true downloads the weights that model.weights names of a network of "
            "timm: write model=timm model.name=NAME model.weights=DEFAULT, or leave it out"
        )
    if model.checkpoint_key is not None and model.checkpoint is None:
        raise InputError(
            f"model.checkpoint_key={model.checkpoint_key} names a part of model.checkpoint, which "
            "has no value: set model.checkpoint=FILE, or leave the key out"
        )
    if model.weights is not None and model.checkpoint is not None:
        raise InputError(
            "model.weights and model.checkpoint name two float networks: give only one of them"
        )


def _check_data(data: DataConfig) -> None:
    if data.name in ("npz", "folder") and data.path is None:
        what = "FILE" if data.name == "npz" else "DIR"
        raise InputError(f"data.path has no value: data={data.name} needs data.path={what}")
    if (data.name == "user") != (data.target is not None):
        raise InputError(
            f"data.target and data=user must be set together, got data.name={data.name} "
            f"data.target={data.target}; write data=user data.target=package.module:function"
        )
    if (data.mean is None) != (data.std is None):
        raise InputError("data.mean and data.std go together: give both or neither")
    if data.mean and data.std and len(data.mean) != len(data.std):
        raise InputError(
            f"data.mean has {counted(len(data.mean), 'channel')}, data.std {len(data.std)}: give "
            "equally many"
        )


def _check_float(config: RunConfig) -> None:
    settings = config.float
    one_of("float.keep", settings.keep, KEEPS)
    one_of("float.accelerator", settings.accelerator, ACCELERATORS)
    one_of("float.precision", settings.precision, PRECISIONS)
    _check_optimizer("float.optimizer", settings.optimizer)
    one_of("float.schedule.name", settings.schedule.name, SCHEDULES)


def _check_slot(key: str, slot: SlotConfig) -> None:
    check_format(key, slot)
    granularities = ["tensor", "channel"] + (["group"] if key.endswith("weight") else [])
    one_of(f"{key}.granularity", slot.granularity, granularities)
    one_of(f"{key}.scale", slot.scale, ("free", "power_of_two"))
    if (slot.granularity == "group") != (slot.group_size is not None):
        raise InputError(
            f"{key}.group_size and {key}.granularity=group must be set together, got "
            f"granularity={slot.granularity} group_size={slot.group_size}"
        )
    if slot.narrow and slot.signed is False:
        raise InputError(
            f"{key}.narrow=true needs signed codes: set {key}.signed=true or {key}.narrow=false"
        )
    _check_method(f"{key}.target", "quantizer", key, slot.quantizer, slot.target)
    _check_method(f"{key}.observer_target", "observer", key, slot.observer, slot.observer_target)


def _check_method(key: str, group: str, slot: str, name: str, target: str | None) -> None:
    if (name == "user") != (target is not None):
        raise InputError(
            f"{key} and {group}@{slot}=user must be set together, got {name!r} and {target!r}; "
            f"write {group}@{slot}=user {key}=package.module:Class"
        )


def _check_scheme(config: RunConfig) -> None:
    scheme = config.scheme
    one_of("scheme.first_last", scheme.first_last, ("8", "float", "fp16", "same"))
    one_of("scheme.placement", scheme.placement, PLACEMENTS)
    if scheme.placement == "integer":
        _check_integer(config)
    for number, rule in enumerate(scheme.rules):
        key = f"scheme.rules[{number}]"
        if not rule.match:
            raise InputError(f"{key}.match is empty: give a glob over layer names, such as conv1")
        _check_rule_slot(f"{key}.weight", rule.weight, scheme.weight.quantizer)
        _check_rule_slot(f"{key}.act", rule.act, scheme.act.quantizer)
        if rule.keep_float and (rule.weight or rule.act):
            raise InputError(f"{key} has keep_float=true and other settings: drop one of the two")
        if not (rule.keep_float or rule.weight or rule.act):
            raise InputError(f"{key} changes nothing; give weight, act or keep_float=true")


def _check_integer(config: RunConfig) -> None:
    if config.mode == "dynamic":
        raise InputError(
            "scheme.placement=integer fixes every range before inference, but mode=dynamic takes "
            "ranges at inference: use mode=static or qat, or scheme.placement=academic"
        )
    key = "scheme.first_last with scheme.placement=integer"
    one_of(key, config.scheme.first_last, ("8", "same"))


def _check_rule_slot(key: str, changes: dict[str, Any], usual: str) -> None:
    for name in changes:
        one_of(f"a setting of {key}", name, RULE_KEYS)
    bits = changes.get("bits", 8)
    if isinstance(bits, bool) or not isinstance(bits, int) or not (1 <= bits <= 16 or bits == 32):
        raise InputError(f"{key}.bits must be 2 to 16, or 32 for off, got {bits!r}")
    quantizer = changes.get("quantizer", usual)
    method = quantizer.get("name") if isinstance(quantizer, dict) else quantizer
    check_one_bit(key, bits, str(method))
    if "format" in changes:
        one_of(f"{key}.format", changes["format"], (*NUMBER_FORMATS, "float"))


def _check_optimizer(key: str, optimizer: OptimizerConfig) -> None:
    one_of(f"{key}.name", optimizer.name, OPTIMIZERS)
    if len(optimizer.betas) != 2:
        raise InputError(
            f"{key}.betas must be two numbers, such as [0.9,0.999], got {optimizer.betas}"
        )


def _check_devices(config: RunConfig) -> None:
    trainer, devices = config.trainer, config.trainer.devices
    if devices == 1 or not trains(config):
        return
    if trainer.compile != "none":
        raise InputError(
            f"trainer.devices={devices} needs trainer.compile=none, got {trainer.compile}"
        )
    if trainer.batch_size < devices:
        raise InputError(
            f"trainer.batch_size={trainer.batch_size} is below trainer.devices={devices}: "
            "each device takes its part of every batch"
        )


def _check_trainer(config: RunConfig) -> None:
    trainer = config.trainer
    one_of("trainer.compile", trainer.compile, COMPILES)
    one_of("trainer.accelerator", trainer.accelerator, ACCELERATORS)
    one_of("trainer.precision", trainer.precision, PRECISIONS)
    one_of("trainer.keep", trainer.keep, KEEPS)
    one_of("trainer.memory_format", trainer.memory_format, MEMORY_FORMATS)
    _check_devices(config)
