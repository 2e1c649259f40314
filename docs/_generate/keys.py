"""Every key of a run's configuration, with type, default, allowed values and meaning.

Type and meaning come from ``qat/config/schema.py`` and the comments of ``conf/``, the allowed
values from the checks of the configuration, the default from Hydra's composition.
"""

import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from hydra import compose
from omegaconf import OmegaConf

from docs._generate.comments import field_comments, yaml_comments
from docs._generate.pages import ROOT
from qat.config.checks.key_ranges import range_of
from qat.config.choices import choices
from qat.config.compose import composer
from qat.config.keys import key_types, type_at
from qat.config.yaml_files import ROOT_CONFIG, config_dir, files

SCHEMA = ROOT / "qat" / "config" / "schema.py"


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        name: The key in full.
        kind: Its type, in words of YAML.
        default: As it is typed in YAML.
        allowed: The values that it takes; empty if the type says it all.
        meaning: From its comment.
    """

    name: str
    kind: str
    default: str
    allowed: str
    meaning: str


def every_key() -> list[Key]:
    """All keys, in the order of the schema."""
    meanings = _meanings()
    return [
        Key(name, kind_words(kind), _default(name), _allowed(name, kind), meanings.get(name, ""))
        for name, kind in key_types().items()
    ]


def kind_words(kind: Any) -> str:
    """A type in words of YAML.

    Example:
        >>> kind_words(int | None), kind_words(list[str]), kind_words(bool)
        ('integer or null', 'list of texts', 'true or false')
    """
    words = {int: "integer", float: "number", str: "text", bool: "true or false"}
    if isinstance(kind, types.UnionType):
        parts = [kind_words(part) for part in kind.__args__ if part is not types.NoneType]
        return " or ".join([*parts, "null"])
    origin = getattr(kind, "__origin__", None)
    if origin is dict:
        return "mapping"
    if origin is list:
        (element,) = kind.__args__
        return "list" if element is Any else f"list of {words.get(element, 'mapping')}s"
    return words.get(kind, "any")


def _allowed(name: str, kind: Any) -> str:
    names = choices(name) if name != "model.name" else []
    if names and "true" not in names:
        return ", ".join(f"`{value}`" for value in names)
    text = str(range_of(name) or "")
    return text.replace(str(2**63 - 1), "2⁶³ - 1").replace(str(2**60), "2⁶⁰")


def _default(name: str) -> str:
    node: Any = _composed()
    for part in name.split("."):
        node = node[part]
    if node == "???":
        return "to be given"
    return f"`{_flow(node)}`"


def _flow(value: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


@cache
def _composed() -> Mapping[Any, Any]:
    """The configuration without overrides, with interpolations as they stand in the files."""
    with composer(None):
        composed = OmegaConf.to_container(compose(ROOT_CONFIG), resolve=False)
    assert isinstance(composed, dict)
    return composed


def _meanings() -> dict[str, str]:
    """Key in full → the comment of its YAML line, else that of its field in the schema."""
    in_schema = field_comments(SCHEMA.read_text(encoding="utf-8"))
    in_yaml = _yaml_meanings()
    by_field = {_field(name): text for name, text in reversed(in_yaml.items())}
    return {
        name: in_yaml.get(name) or by_field.get(_field(name)) or in_schema.get(_field(name), "")
        for name in key_types()
    }


def _yaml_meanings() -> dict[str, str]:
    root = (config_dir() / f"{ROOT_CONFIG}.yaml").read_text(encoding="utf-8")
    meanings = yaml_comments(root)
    for section in [f.name for f in fields(type_at(""))]:
        default = _default_file(section, root)
        paths = files(section)
        for name in sorted(paths, key=lambda name: name != default):
            for key, text in yaml_comments(paths[name].read_text(encoding="utf-8")).items():
                meanings.setdefault(f"{section}.{key}", text)
    return {name: text for name, text in meanings.items() if name in key_types()}


def _default_file(section: str, root: str) -> str:
    lines = (line.partition(": ") for line in root.splitlines())
    return next((file for key, _, file in lines if key == f"  - {section}"), "")


def _field(name: str) -> tuple[str, str]:
    """``(class, field)`` of a key in the schema."""
    parent, _, leaf = name.rpartition(".")
    return type_at(parent).__name__, leaf
