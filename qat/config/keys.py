"""The keys of a configuration and their types, from the schema. Loads no Hydra."""

import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_origin

from qat.config.schema import RunConfig
from qat.config.yaml_files import groups

SLOTS = ("scheme.weight", "scheme.act")
SLOT_GROUPS = ("quantizer", "observer")
PATH_KEYS = frozenset(
    [
        *("data.path", "model.checkpoint", "sensitivity.table", "allocate.latency_table"),
        "scheme.plan",
        *("paths.data", "paths.runs", "paths.cache"),
    ]
)
"""Keys whose value is the path of a file or a folder."""


@cache
def key_types() -> dict[str, Any]:
    """Every key in full → its type, in the order of the schema; sections are left out."""
    return dict(_walk(RunConfig, ""))


def type_at(key: str) -> Any:
    """The type of a key or a section; None if the schema has no such key.

    Keys inside a free mapping, such as ``data.options.image_size``, are not in the schema.

    Example:
        >>> type_at("scheme.weight.bits")
        <class 'int'>
    """
    node: Any = RunConfig
    for part in filter(None, key.split(".")):
        known = {f.name: f.type for f in fields(node)} if is_dataclass(node) else {}
        if part not in known:
            return None
        node = known[part]
    return node


def keys_under(parent: str) -> list[str] | None:
    """Names of the keys of a section; empty for a single key, None if there is no such section.

    Args:
        parent: The section in full; empty for the root.

    Example:
        >>> keys_under("calibrate")
        ['images', 'path', 'batch_size']
    """
    node = type_at(parent)
    if node is None:
        return None
    return [f.name for f in fields(node)] if is_dataclass(node) else []


def is_key(key: str) -> bool:
    """Whether a key or section is in the schema, or lies in a free mapping."""
    return keys_under(key) is not None or is_free(key)


def is_free(key: str) -> bool:
    """Whether a key lies in a free mapping, as ``data.options.image_size`` in ``data.options``."""
    parts = key.split(".")
    kinds = (key_types().get(".".join(parts[:end])) for end in range(1, len(parts)))
    return any(get_origin(kind) is dict for kind in kinds)


def is_text(key: str) -> bool:
    """Whether the key's value is text, which may then be quoted."""
    kind = key_types().get(key)
    return kind is str or (isinstance(kind, types.UnionType) and str in kind.__args__)


def choosable(extra_dir: Path | None = None) -> list[str]:
    """Everything that is chosen by the name of a file.

    These are the groups, quantizer and observer of each slot (``quantizer@scheme.act``), and
    Hydra's launcher and sweeper.

    Args:
        extra_dir: Folder of the user's YAML; None if there is none.
    """
    plain = [name for name in groups(extra_dir) if name not in ("hydra", *SLOT_GROUPS)]
    slots = [f"{group}@{slot}" for group in SLOT_GROUPS for slot in SLOTS]
    return [*plain, *slots, "hydra/launcher", "hydra/sweeper"]


def _walk(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for entry in fields(node):
        key = f"{prefix}{entry.name}"
        if isinstance(entry.type, type) and is_dataclass(entry.type):
            yield from _walk(entry.type, f"{key}.")
        else:
            yield key, entry.type
