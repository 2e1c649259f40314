"""Frozen dataclasses as plain JSON data, and back: a field holds what its annotation says.

An annotation is ``int``, ``float`` (finite, also a whole number), ``str``, ``bool``, another
dataclass, or made of those: ``X | None``, ``tuple[X, ...]``, ``tuple[X, Y]``, ``Mapping[str, X]``,
``Annotated[float, NonFinite(...)]``. JSON keys are the names of the fields.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from qat.base.errors import InputError
from qat.records.shapes import wrong_value

FieldReader = Callable[[Any, str], Any]
"""Takes a JSON value and its place in the file; gives the value of a field."""
ABSENT: Mapping[str, bool] = {"absent": True}
"""Metadata of a field with default None: its key is left out of the file if it is None."""
FLAT: Mapping[str, bool] = {"flat": True}
"""Metadata of a field with default None, a dataclass: its keys lie beside its owner's keys."""
_WORDS: Mapping[type, str] = {bool: "true or false", int: "an integer", str: "a text"}


@dataclass(frozen=True, slots=True)
class NonFinite:
    """Mark of a float that may be infinite or NaN: JSON has no such numbers, so it is a word.

    Attributes:
        words: Those of ``inf``, ``-inf``, ``nan`` that are allowed.
    """

    words: tuple[str, ...] = ("inf", "-inf", "nan")


AnyFloat = Annotated[float, NonFinite()]


def from_plain(annotation: Any, data: Any, place: str = "") -> Any:
    """The value that JSON data stands for.

    Args:
        annotation: What it must be; see the top of this file.
        data: As the JSON parser gives it.
        place: Of the data in the file, such as ``rows[3].bits``; empty for all of it.

    Raises:
        InputError: At the first value that does not fit, by its place: a key is missing or
            unknown, a value is of another type.

    Example:
        >>> from_plain(tuple[int, ...], [1, 2])
        (1, 2)
        >>> from_plain(tuple[int, ...], [1, "2"], "bits")
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: bits[1] must be an integer, got '2'
    """
    return _reader(annotation)(data, place)


def to_plain(value: Any) -> Any:
    """The inverse of :func:`from_plain`: dicts, lists, texts and finite numbers.

    Example:
        >>> to_plain((1, math.inf))
        [1, 'inf']
    """
    if is_dataclass(value) and not isinstance(value, type):
        data: dict[str, Any] = {}
        for part in fields(value):
            inner = getattr(value, part.name)
            if "flat" in part.metadata:
                data |= {} if inner is None else to_plain(inner)
            elif not ("absent" in part.metadata and inner is None):
                data[part.name] = to_plain(inner)
        return data
    if isinstance(value, Mapping):
        return {key: to_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(inner) for inner in value]
    return repr(float(value)) if _is_non_finite(value) else value


@cache
def _reader(annotation: Any) -> FieldReader:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_dataclass(annotation):
        return _dataclass_reader(annotation)
    if origin is Annotated:
        return _non_finite_reader(arguments[1].words)
    if origin in (Union, UnionType):  # the first one with Annotated in it
        return _optional_reader(next(kind for kind in arguments if kind is not NoneType))
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is Mapping:
        return _mapping_reader(arguments[1])
    return _number if annotation is float else _leaf_reader(annotation)


@dataclass(frozen=True)
class _PlainField:
    """A field of a dataclass, and the keys of the file that its value is made of.

    Attributes:
        name: Of the field.
        reader: Takes its value.
        keys: Its name; of a field with :data:`FLAT`, the names of the inner fields.
        is_required: Whether it has no default.
        is_flat: Whether it has :data:`FLAT`.
    """

    name: str
    reader: FieldReader
    keys: frozenset[str]
    is_required: bool
    is_flat: bool

    def present_value(self, data: Mapping[str, Any], place: str) -> dict[str, Any]:
        """Name → value; empty if the default counts."""
        if self.is_flat:
            inner = {key: data[key] for key in self.keys if key in data}
            return {self.name: self.reader(inner or None, place)}
        if self.name in data:
            return {self.name: self.reader(data[self.name], _inside(place, self.name))}
        if self.is_required:
            raise InputError(f"{_inside(place, self.name)} is missing")
        return {}


def _parts(kind: Any) -> list[_PlainField]:
    hints = get_type_hints(kind, include_extras=True)
    parts = []
    for part in fields(kind):
        annotation, is_flat = hints[part.name], "flat" in part.metadata
        keys = _names_inside(annotation) if is_flat else frozenset([part.name])
        is_required = part.default is MISSING and part.default_factory is MISSING
        parts.append(_PlainField(part.name, _reader(annotation), keys, is_required, is_flat))
    return parts


def _names_inside(annotation: Any) -> frozenset[str]:
    """Names of the fields of the dataclass in ``X | None``."""
    inner = next(kind for kind in get_args(annotation) if is_dataclass(kind))
    return frozenset(part.name for part in fields(inner))


def _dataclass_reader(kind: Any) -> FieldReader:
    parts = _parts(kind)
    known_keys = frozenset().union(*(part.keys for part in parts))

    def read(data: Any, place: str) -> Any:
        if not isinstance(data, Mapping):
            raise wrong_value(place or "it", "a mapping", data)
        if unknown_keys := sorted(data.keys() - known_keys):
            raise InputError(f"{_inside(place, unknown_keys[0])} is unknown")
        values: dict[str, Any] = {}
        for part in parts:
            values |= part.present_value(data, place)
        try:
            return kind(**values)
        except InputError as error:
            raise InputError(_inside(place, str(error))) from error

    return read


def _optional_reader(annotation: Any) -> FieldReader:
    reader = _reader(annotation)
    return lambda data, place: None if data is None else reader(data, place)


def _tuple_reader(arguments: tuple[Any, ...]) -> FieldReader:
    """Of any length if the annotation ends in an ellipsis, else of the length it has."""
    is_open = arguments[-1] is Ellipsis
    readers = [_reader(argument) for argument in arguments if argument is not Ellipsis]

    def read(data: Any, place: str) -> tuple[Any, ...]:
        if not isinstance(data, list | tuple):
            raise wrong_value(place or "it", "a list", data)
        if not is_open and len(data) != len(readers):
            raise wrong_value(place, f"a list of {len(readers)}", data)
        each = readers * len(data) if is_open else readers
        values = enumerate(zip(each, data, strict=True))
        return tuple(reader(value, f"{place}[{index}]") for index, (reader, value) in values)

    return read


def _mapping_reader(annotation: Any) -> FieldReader:
    reader = _reader(annotation)

    def read(data: Any, place: str) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise wrong_value(place, "a mapping", data)
        return {key: reader(value, _inside(place, key)) for key, value in data.items()}

    return read


def _non_finite_reader(words: tuple[str, ...]) -> FieldReader:
    def read(data: Any, place: str) -> float:
        if data in words:
            return float(data)
        if isinstance(data, str):
            raise wrong_value(place, f"a number, {' or '.join(words)}", data)
        return _number(data, place)

    return read


def _number(data: Any, place: str) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float) or _is_non_finite(data):
        raise wrong_value(place, "a number", data)
    return data


def _leaf_reader(kind: type) -> FieldReader:
    def read(data: Any, place: str) -> Any:
        if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
            raise wrong_value(place, _WORDS[kind], data)
        return data

    return read


def _is_non_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
