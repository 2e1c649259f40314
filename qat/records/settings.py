"""The settings of a run by the key that sets each, from its record: ``optimizer.lr`` → 0.1.

A record holds its protocol and its plan under names of their own. Here they get the names that are
typed on the command line.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from qat.records.run_facts import (
    RunFacts,
    SlotFacts,
    method_name,
    run_facts,
    speaking_layers,
    stored_bits,
)
from qat.records.schema import RunRecord

RunSettings = Mapping[str, Any]
"""Key as typed on the command line → value."""

# Beginning of a path in the protocol → beginning of the key; the first match counts.
_KEYS = (
    ("training.optimizer.", "optimizer."),
    ("training.schedule.", "schedule."),
    ("training.augment.", "data.augment."),
    ("training.chosen_by", "trainer.keep"),
    ("training.kernel", "kernel"),
    ("training.aids.", "aids."),
    ("training.distill.", "distill."),
    ("training.", "trainer."),
    ("calibration.", "calibrate."),
    ("evaluation.first_last", "scheme.first_last"),
    ("evaluation.placement", "scheme.placement"),
    ("evaluation.rules", "scheme.rules"),
    ("evaluation.runtime", "measure.runtime"),
    ("evaluation.", "evaluate."),
    ("ptq.steps", "ptq"),
    ("ptq.", "ptq_options."),
    ("allocation.allocator", "allocate.name"),
    ("allocation.budgets.", "allocate."),
    ("allocation.options.", "allocate.options."),
    ("allocation.then", "mixed.then"),
    ("allocation.metric", "sensitivity.metric"),
    ("allocation.images.drawn_by", "sensitivity.seed"),
    ("allocation.images.", "sensitivity."),
    ("allocation.", "sensitivity."),
    ("float.model.", "model."),
    ("float.chosen_by", "float.keep"),
)
# Endings of what no key sets: digests, the machine, and what follows from the data.
_NOT_SET = ("digest", "threads", "device", "split", "mean", "std")
_KEEP = ("trainer.keep", "float.keep")  # "best of the validation split"
SWITCHES = {
    "aids.freeze_last": "aids.freeze_first",
    "aids.freeze_momentum": "aids.freeze_first",
    "distill.temperature": "distill.weight",
    "distill.feature_weight": "distill.features",
}
"""Setting of an aid → the one that switches it on, without which it has no effect."""
_OF_SLOT = ("symmetric", "signed", "narrow", "scale")


def record_settings(record: RunRecord) -> dict[str, Any]:
    """Key → value, for the protocol and for the format of most layers' weights and inputs."""
    facts = run_facts(record)
    settings = {
        _key(path): value
        for path, value in flat(record.protocol)
        if not path.rpartition(".")[2].endswith(_NOT_SET)
    }
    settings["model.name"] = facts.model
    settings |= {"allocate.name": facts.allocator, "sensitivity.metric": facts.sensitivity}
    settings |= {key: str(settings[key]).split()[0] for key in _KEEP if key in settings}
    for slot in ("weight", "act"):
        settings |= slot_settings(f"scheme.{slot}", _common_spec(record, facts, slot))
    return {
        key: value
        for key, value in settings.items()
        if value is not None and (key not in SWITCHES or settings.get(SWITCHES[key]))
    }


def slot_settings(key: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Key → value for one slot; a method has its name and its options.

    Args:
        key: ``scheme.weight`` or ``scheme.act``.
        spec: The format as in a plan; empty if the slot stays float.
    """
    if not spec or spec.get("format", "int") != "int":
        return {}
    settings: dict[str, Any] = {f"{key}.{name}": spec.get(name) for name in _OF_SLOT}
    size = spec.get("group_size")
    settings[f"{key}.granularity"] = f"{spec.get('granularity')}{size or ''}"
    for name, options in (("quantizer", "options"), ("observer", "observer_options")):
        method = spec.get(name) or {}
        settings[f"{key}.{name}"] = method_name(method)
        settings |= {f"{key}.{options}.{k}": v for k, v in (method.get("options") or {}).items()}
    return settings


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``(dotted path, value)`` of every leaf of nested mappings.

    Args:
        value: Nested mappings; anything else is a leaf.
        prefix: Path of ``value`` itself.

    Example:
        >>> list(flat({"lr": 0.1, "augment": {"flip": True}}))
        [('lr', 0.1), ('augment.flip', True)]
    """
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for key, inner in value.items():
        yield from flat(inner, f"{prefix}.{key}" if prefix else str(key))


def _key(path: str) -> str:
    for start, key in _KEYS:
        if path.startswith(start):
            return key + path[len(start) :]
    return path


def _common_spec(record: RunRecord, facts: RunFacts, slot: str) -> Mapping[str, Any]:
    """The format of most layers (see :func:`qat.records.run_facts.slot_facts`)."""
    usual: SlotFacts = getattr(facts, slot)
    specs: list[Mapping[str, Any]] = [layer[slot] for layer in speaking_layers(record)]
    return next((s for s in specs if stored_bits(s) == usual.bits), {})
