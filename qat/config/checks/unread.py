"""Refuse keys that were typed but that no part of the run reads.

Without this check, a user could believe that the key had an effect. A key is typed if it is on the
command line or in the user's experiment file. Defaults in ``conf`` and presets such as
``trainer=smoke`` may have keys that are not read. In a sweep it is enough that one point reads the
key; the other points run without it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from qat.base.errors import RequestError
from qat.config.checks.deployment import exports
from qat.config.checks.plan import unread_with_plan
from qat.config.checks.slot_keys import unread_of_slot
from qat.config.modes import is_half, trains
from qat.config.schema import FloatConfig, OptimizerConfig, RunConfig, ScheduleConfig
from qat.config.study_grids import key_of
from qat.config.training_specs import trains_float
from qat.config.yaml_files import files
from qat.core.optimizers import OPTIMIZERS
from qat.records.settings import SWITCHES
from qat.training.specs import SCHEDULES

_EVERY_OPTIMIZER = {"name", "lr", "weight_decay", "step_lr", "step_weight_decay"}
_EVERY_SCHEDULE = {"name", "warmup_epochs"}
_METHODS = ("optimizer", "schedule", "allocate", "sensitivity", "mixed", "parity")
"""Groups whose choice must be read; the choice of another group's file is a preset."""
_OF_EVERY_MODE = ("accelerator", "memory_format")
_OF_RANGES = tuple(f"act.{name}" for name in ("quantizer", "observer", "options", "target"))
"""Beginnings of the keys that say how ranges of activations are found."""
_SWITCHED_OFF = {
    "aids.freeze_first": "no weight is frozen; add aids.freeze_first=0.1",
    "distill.weight": "distill.weight is 0; add distill.weight=0.5",
    "distill.features": "no feature is compared; add distill.features=[NAME,...]",
}
"""Setting that switches an aid on → why the aid's others are not read, with a cure."""
_OF_RUNTIME = ("runtime", "batches", "threads", "runtime_repeats", "blocks")


def check_read(
    points: Sequence[tuple[Sequence[str], RunConfig]],
    typed: Sequence[str] | None = None,
    extra_dir: Path | None = None,
) -> None:
    """Refuse typed keys that no point of a request reads.

    Args:
        points: Overrides and typed configuration of each point.
        typed: The overrides to check; None checks all overrides of the points.
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: At the first such key, with a setting that makes the run read it.
    """
    reasons: dict[str, str] = {}
    read: set[str] = set()
    for words, config in points:
        for word, key in _keys(words if typed is None else typed, extra_dir):
            if (reason := unread(key, config)) is None:
                read.add(key)
            else:
                reasons.setdefault(key, f"{word} is not read: {reason}")
    for key, text in reasons.items():
        if key not in read:
            raise RequestError(text)


def read_words(points: Sequence[tuple[Sequence[str], RunConfig]]) -> list[tuple[str, ...]]:
    """The overrides of each point of a sweep, without those that only other points read.

    Args:
        points: Overrides and typed configuration of each point.
    """
    unread_here: list[dict[str, str]] = []
    read: set[str] = set()
    for words, config in points:
        keys = dict(pair for word in words for pair in _keys_of_word(word))
        here = {word: key for word, key in keys.items() if unread(key, config) is not None}
        read |= set(keys.values()) - set(here.values())
        unread_here.append(here)
    return [
        tuple(word for word in words if here.get(word) not in read)
        for (words, _), here in zip(points, unread_here, strict=True)
    ]


def unread(key: str, config: RunConfig) -> str | None:
    """The reason why a run does not read a key, with a cure; None if it does.

    Args:
        key: A key in full, such as ``optimizer.betas``, or a group, such as ``optimizer``.
        config: Of the run.

    Example:
        >>> unread("allocate.name", RunConfig(mode="static"))
        'mode=static chooses no widths; add mode=mixed'
    """
    group, _, name = key.partition(".")
    if group == "float" and not trains_float(config):
        return "the float network is loaded and not trained; leave it out"
    if group == "float":
        part, _, leaf = name.partition(".")
        settings = getattr(config.float, part) if part in ("optimizer", "schedule") else None
        if part == "optimizer" and leaf.startswith("step_"):
            return "a float network has no quantizer steps; leave it out"
        return _of_method(f"float.{part}", leaf, settings)
    return _unread_group(group, name, config)


def _unread_group(group: str, name: str, config: RunConfig) -> str | None:
    mode = config.mode
    if group in ("optimizer", "schedule", "trainer") and not trains(config):
        if group == "trainer" and name in _OF_EVERY_MODE:
            return None
        of_float = _of_float(group, name)
        or_float = f", or for the float network {of_float}" if of_float else ""
        return _trains_nothing(mode) + or_float
    if group in ("aids", "distill"):
        return _unread_of_aids(group, name, config) if trains(config) else _trains_nothing(mode)
    if group in ("optimizer", "schedule"):
        return _of_method(group, name, getattr(config, group))
    if group in ("sensitivity", "allocate", "mixed") and mode != "mixed":
        return f"mode={mode} chooses no widths; add mode=mixed"
    if group == "scheme":
        return _unread_of_scheme(name, config)
    if group == "calibrate" and mode in ("float", "dynamic"):
        return f"mode={mode} calibrates nothing; add mode=static or qat"
    if group == "calibrate" and is_half(config):
        return "fp16 has no ranges, so nothing is calibrated; leave it out"
    if group in ("parity", "measure") and (group == "parity" or name in _OF_RUNTIME):
        return None if exports(config) else f"nothing is exported; {_to_export(config)}"
    return _unread_part(group, name, config)


def _trains_nothing(mode: str) -> str:
    cure = "mixed.then=qat" if mode == "mixed" else "mode=qat"
    return f"mode={mode} trains no quantized network; add {cure}"


def _unread_of_aids(group: str, name: str, config: RunConfig) -> str | None:
    """The reason why settings of an aid that is off are not read."""
    switch = SWITCHES.get(f"{group}.{name}")
    if switch is None or getattr(getattr(config, group), switch.partition(".")[2]):
        return None
    return _SWITCHED_OFF[switch]


def _unread_of_scheme(name: str, config: RunConfig) -> str | None:
    if config.mode == "float":
        return "mode=float quantizes nothing; add mode=static or another"
    reason = unread_with_plan(name, config)
    if config.mode == "dynamic" and name.startswith(_OF_RANGES):
        return "mode=dynamic measures ranges of activations at inference; add mode=static or qat"
    if reason is None and name.startswith(("weight.", "act.")):
        slot, _, leaf = name.partition(".")
        reason = unread_of_slot(f"scheme.{slot}", leaf, getattr(config.scheme, slot))
    return reason


def _to_export(config: RunConfig) -> str:
    """The setting that makes a run export."""
    if config.export.onnx == "never":
        return "leave export=none out" + _and_placement(config)
    return "add scheme.placement=integer"


def _and_placement(config: RunConfig) -> str:
    return "" if config.scheme.placement == "integer" else " and add scheme.placement=integer"


def _unread_part(group: str, name: str, config: RunConfig) -> str | None:
    if group == "ptq_options":
        return None if config.ptq else "ptq has no step; add ptq=[fold,equalize] or others"
    if group == "mixed" and name in ("check_images", "check_seed"):
        return None if config.mixed.check_plans else "no plan is checked; add mixed.check_plans=20"
    if (group, name) == ("data", "path") and config.data.name in ("synthetic", "user"):
        return f"data={config.data.name} has no file; add data=npz or data=folder"
    if name == "target" and group in ("data", "model") and not _is_users(group, config):
        return f"{group} is not the user's own; add {group}=user"
    return None


def _is_users(group: str, config: RunConfig) -> bool:
    return (config.model.source if group == "model" else config.data.name) == "user"


def _of_float(group: str, name: str) -> str | None:
    """The corresponding setting of the float network's training; None if there is none."""
    if group == "trainer":
        setting = {"max_epochs": "epochs=N", "": "epochs=N"}.get(name, name)
        known = {field.name for field in fields(FloatConfig)}
        return f"float.{setting}" if setting.partition("=")[0] in known else None
    return f"float.{group}.{name}" if name else f"{group}@float.{group}=NAME"


def _of_method(
    place: str, name: str, settings: OptimizerConfig | ScheduleConfig | None
) -> str | None:
    """The reason why an optimizer or a schedule does not read a key of another one."""
    if settings is None or not name:
        return None
    of_each = {method: kind.settings for method, kind in OPTIMIZERS.items()}
    common = _EVERY_OPTIMIZER
    if isinstance(settings, ScheduleConfig):
        of_each, common = dict(SCHEDULES), _EVERY_SCHEDULE
    if name in common or name in of_each.get(settings.name, (name,)):
        return None
    owners = [method for method, names in of_each.items() if name in names]
    group = place.rpartition(".")[2]
    choice = place if place == group else f"{group}@{place}"
    cures = " or ".join(f"{choice}={owner}" for owner in owners)
    return f"{choice}={settings.name} has no {name}; leave it out, or take {cures}"


def _keys(words: Sequence[str], extra_dir: Path | None) -> Iterator[tuple[str, str]]:
    """``(as typed, key in full)`` of every key that was typed for a point."""
    for word in words:
        if key_of(word) == "experiment":
            yield from _keys_of_file(word.partition("=")[2], extra_dir)
        else:
            yield from _keys_of_word(word)


def _keys_of_word(word: str) -> Iterator[tuple[str, str]]:
    key = key_of(word)
    if word.startswith("~") or key.startswith("hydra"):
        return
    if "@" in key:
        group, _, package = key.partition("@")
        known = package.endswith(group)
        yield word, f"{package}.name" if known else f"{package}.{group}"
    elif "." in key or key in _METHODS:
        yield word, key


def _keys_of_file(name: str, extra_dir: Path | None) -> Iterator[tuple[str, str]]:
    """``(description, key in full)`` of every key that an experiment file of the user's sets."""
    file = files("experiment", extra_dir).get(name)
    if file is None or extra_dir is None or extra_dir.resolve() not in file.resolve().parents:
        return
    text = re.sub(r"^#.*$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    settings = yaml.safe_load(text) or {}
    for key in _flat(
        {k: v for k, v in settings.items() if k not in ("defaults", "study", "hydra")}
    ):
        if "." in key:
            yield f"{key} of {file.name}", key


def _flat(node: Mapping[Any, Any], place: str = "") -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}"
