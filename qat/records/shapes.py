"""Types of the values inside a record.

Many functions read records, and other versions of this program write them. The types inside of a
record are checked once, when it is read. A wrong type is then an error about that record, and a
table over thousands of records leaves that one out.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from qat.base.errors import InputError

LONGEST_ID = 100
_ID = re.compile(r"[\w][\w.+=@-]*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WIDTHS = range(1, 65)
_SLOTS = ("weight", "act")


def check_shapes(data: Mapping[str, Any]) -> None:
    """Check every part of a record's data that readers use.

    Raises:
        InputError: At the first value of a wrong type; it names the place.
    """
    _name("id", data.get("id"))
    for key in ("error", "study", "gate"):
        _optional_text(key, data.get(key))
    overrides = data.get("overrides", [])
    if not isinstance(overrides, list | tuple) or not all(isinstance(o, str) for o in overrides):
        raise wrong_value("overrides", "a list of texts", overrides)
    _every("seconds", data.get("seconds", {}), _number)
    _every("unmeasured", data.get("unmeasured", {}), _text)
    _every("artifacts", data.get("artifacts", {}), _artifact)
    _protocol(data.get("protocol", {}))
    _plan(data.get("plan"))


def wrong_value(place: str, allowed: str, value: Any) -> InputError:
    """The error that names a value's place, what is allowed there, and the value, cut if long.

    Args:
        place: Keys from the top of the file on, such as ``plan.layers.conv1.weight.bits``.
        allowed: Words for what may stand there, such as ``a list of texts``.
        value: What stands there.

    Example:
        >>> str(wrong_value("seed", "an integer", "one"))
        "seed must be an integer, got 'one'"
    """
    text = repr(value)
    shown = text if len(text) <= 80 else f"{text[:79]}\N{HORIZONTAL ELLIPSIS}"
    return InputError(f"{place} must be {allowed}, got {shown}")


def is_id(name: str) -> bool:
    """Whether a text can be a run's id: one plain word, because it is a folder's name too."""
    return len(name) <= LONGEST_ID and _ID.fullmatch(name) is not None


def is_inside(path: str) -> bool:
    """Whether a path stays inside its folder: relative, without ``..``."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\0" not in path


def _protocol(protocol: Any) -> None:
    parts = _mapping("protocol", protocol)
    for name, part in parts.items():
        _mapping(f"protocol.{name}", part)
    epochs = parts.get("training", {}).get("max_epochs", 0)
    if isinstance(epochs, bool) or not isinstance(epochs, int):
        raise wrong_value("protocol.training.max_epochs", "an integer", epochs)
    budgets = parts.get("allocation", {}).get("budgets", {})
    _every("protocol.allocation.budgets", budgets, _number)


def _plan(plan: Any) -> None:
    if plan is None:
        return
    _mapping("plan", plan)
    _optional_text("plan.placement", plan.get("placement"))
    pairs = plan.get("left_float", ())
    if not isinstance(pairs, list | tuple) or not all(_is_pair(pair) for pair in pairs):
        raise wrong_value("plan.left_float", "a list of pairs of names", pairs)
    _every("plan.layers", plan.get("layers", {}), _layer)
    _every("plan.tensors", plan.get("tensors", {}), _mapping)


def _layer(place: str, layer: Any) -> None:
    specs = _mapping(place, layer)
    for slot in _SLOTS:
        if slot not in specs:
            raise InputError(f"{place} has no {slot}")
        _spec(f"{place}.{slot}", specs[slot])


def _spec(place: str, spec: Any) -> None:
    fields = _mapping(place, spec)
    form = fields.get("format", "int")
    _text(f"{place}.format", form)
    bits = fields.get("bits")
    if bits is None and form in ("float", "fp16"):
        bits = 32
    if isinstance(bits, bool) or not isinstance(bits, int) or bits not in _WIDTHS:
        raise wrong_value(f"{place}.bits", "an integer of 1 to 64", bits)
    for key in ("symmetric", "signed"):
        if not isinstance(fields.get(key), bool | None):
            raise wrong_value(f"{place}.{key}", "true or false", fields[key])
    _optional_text(f"{place}.granularity", fields.get("granularity"))
    for key in ("quantizer", "observer"):
        _method(f"{place}.{key}", fields.get(key))


def _method(place: str, method: Any) -> None:
    if method is None:
        return
    fields = _mapping(place, method)
    if fields and not any(isinstance(fields.get(key), str) for key in ("name", "target")):
        raise wrong_value(place, "a method with its name", method)


def _artifact(place: str, artifact: Any) -> None:
    fields = _mapping(place, artifact)
    path, size, digest = (fields.get(key) for key in ("path", "bytes", "sha256"))
    if not isinstance(path, str) or not is_inside(path):
        raise wrong_value(f"{place}.path", "a path inside the run folder", path)
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise wrong_value(f"{place}.bytes", "a number of bytes", size)
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise wrong_value(f"{place}.sha256", "64 hex digits", digest)


def _is_pair(pair: Any) -> bool:
    return (
        isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(p, str) for p in pair)
    )


def _every(place: str, values: Any, check: Callable[[str, Any], object]) -> None:
    for name, value in _mapping(place, values).items():
        check(f"{place}.{name}", value)


def _mapping(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong_value(place, "a mapping", value)
    return value


def _number(place: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_value(place, "a number", value)


def _text(place: str, value: Any) -> None:
    if not isinstance(value, str):
        raise wrong_value(place, "a text", value)


def _optional_text(place: str, value: Any) -> None:
    if value is not None:
        _text(place, value)


def _name(place: str, value: Any) -> None:
    if not isinstance(value, str) or not is_id(value):
        raise wrong_value(place, "a name of letters, digits, '.', '-' and '_'", value)
