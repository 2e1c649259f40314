"""Check the values of overrides against the types of the schema, before they are composed.

OmegaConf converts some values silently (5 to true), and its errors name neither the range nor a
cure. So the typed values, as Hydra's grammar parses them, are checked here.
"""

import re
from collections.abc import Iterable
from dataclasses import is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_origin

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException

from qat.base.errors import RequestError
from qat.config.checks.key_ranges import range_of, shown
from qat.config.keys import type_at
from qat.config.yaml_files import groups, options

MOST_DIGITS = 100
"""A number of so many digits or more is refused before it is parsed."""
_PLAIN = re.compile(r"[\w.@/+-]{1,60}")
_TRUTH = ("true", "false", "yes", "no", "on", "off", "y", "n")


def check_words(words: Iterable[str], extra_dir: Path | None = None) -> None:
    """Refuse values of a wrong type. Keys that do not exist are left for Hydra to refuse.

    Args:
        words: Overrides; of a sweep those of its points.
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: At the first such value, with the key, the value and what is allowed.
    """
    for word in dict.fromkeys(words):
        if match := re.search(rf"\d{{{MOST_DIGITS},}}", word):
            key = word.partition("=")[0]
            raise RequestError(
                f"{key} has a number of {len(match.group())} digits, which no key takes"
                f"{_range_text(key.lstrip('+~'))}"
            )
        if (override := parsed(word)) is not None:
            _check(override, word, extra_dir)


def wrong_type(key: str, value: Any) -> str | None:
    """The message for a value of a wrong type; None if the type is right or the key unknown.

    Args:
        key: The key in full.
        value: The value as Hydra parses it.

    Example:
        >>> wrong_type("seed", 1.5)
        'seed must be an integer, 0 to 9223372036854775807, got 1.5'
    """
    kind = type_at(key)
    if kind is None or _fits(kind, value):
        return None
    return f"{key} must be {expected(key)}, got {_typed(value)}{_as_list(key, kind, value)}"


def _as_list(key: str, kind: Any, value: Any) -> str:
    """How a single value is typed for a key that takes a list."""
    is_one = value is not None and not isinstance(value, list | dict)
    takes_list = list in {get_origin(each) for each in (kind, *get_args(kind))}
    fits = is_one and takes_list and _fits(kind, [value])
    return f": write {key}=[{_typed(value)}]" if fits else ""


def expected(key: str) -> str:
    """The values that a key takes, in words.

    Example:
        >>> expected("model.target")
        'a word, or null'
    """
    kind = type_at(key)
    if kind is None:
        return "another value"
    inner = next(arg for arg in (get_args(kind) or (kind,)) if arg is not type(None))
    needed = inner if type(None) in get_args(kind) else kind
    text = _kind_text(needed) + _range_text(key)
    return f"{text}, or null" if type(None) in get_args(kind) else text


@lru_cache(maxsize=4096)
def parsed(word: str) -> Override | None:
    """An override as Hydra parses it; None if Hydra cannot parse it."""
    try:
        return OverridesParser.create().parse_override(word)
    except (HydraException, ValueError):
        return None  # composing raises the error


def _check(override: Override, word: str, extra_dir: Path | None) -> None:
    key = override.key_or_group
    if override.is_delete() or override.is_sweep_override() or key.startswith("hydra"):
        return
    value = override.value()
    if "." not in key and key in groups(extra_dir):
        _check_choice(word.partition("=")[0], key, value, extra_dir)
    elif override.package is None and (wrong := wrong_type(key, value)):
        raise RequestError(wrong)


def _check_choice(name: str, group: str, value: Any, extra_dir: Path | None) -> None:
    if isinstance(value, str | QuotedString) or (value is None and group == "experiment"):
        return
    raise RequestError(
        f"{name}={_typed(value)} names no file of group {group}: write {name}=NAME with one of "
        f"{', '.join(options(group, extra_dir))}"
    )


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(value, str) and value.startswith("${"):
        return True  # an interpolation is checked after composition
    if kind is Any:
        return True  # the check of the key knows more
    arguments = get_args(kind)
    if type(None) in arguments:
        return value is None or _fits(next(a for a in arguments if a is not type(None)), value)
    origin = get_origin(kind) or kind
    if origin is list:
        return isinstance(value, list) and all(_fits(arguments[0], each) for each in value)
    if origin is dict or is_dataclass(kind):
        return isinstance(value, dict)
    text = value.text if isinstance(value, QuotedString) else value
    if kind is bool:
        return isinstance(value, bool) or (isinstance(text, str) and text.lower() in _TRUTH)
    if isinstance(value, bool):
        return False
    if kind is str:
        return isinstance(text, str | int | float)
    return isinstance(text, int) or _reads_as(kind, text)


def _reads_as(kind: type, value: Any) -> bool:
    if kind is float and isinstance(value, float):
        return True
    try:
        return isinstance(value, str) and kind(value) is not None
    except ValueError:
        return False


def _kind_text(kind: Any) -> str:
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if kind is Any:
        return "a value"
    if origin is list:
        return f"a list, [A,B], each {_kind_text(arguments[0])}"
    if origin is dict or is_dataclass(kind):
        return "a mapping, {KEY:VALUE}"
    return {bool: "true or false", int: "an integer", float: "a number", str: "a word"}[kind]


def _range_text(key: str) -> str:
    allowed = range_of(key)
    return "" if allowed is None else f", {allowed}"


def _typed(value: Any) -> str:
    """A value as it is typed."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return "[" + ",".join(map(_typed, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{_typed(v)}" for k, v in value.items()) + "}"
    text = value.text if isinstance(value, QuotedString) else value
    return text if isinstance(text, str) and _PLAIN.fullmatch(text) else shown(text)
