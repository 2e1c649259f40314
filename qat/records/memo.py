"""Functions of a record that are computed once for each record, however often they are asked."""

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from qat.records.schema import RunRecord

Value = TypeVar("Value")


def once_a_record(function: Callable[[RunRecord], Value]) -> Callable[[RunRecord], Value]:
    """The function, with its value kept as long as the record lives.

    Records are frozen; that is why this is right. They are compared by value and hold mappings, so
    that they have no hash: what is kept goes by identity.
    """
    kept: dict[int, tuple[weakref.ref[RunRecord], Value]] = {}

    @functools.wraps(function)
    def kept_or_new(record: RunRecord) -> Value:
        key = id(record)
        if key not in kept:
            forget = functools.partial(_forget, kept, key)
            kept[key] = weakref.ref(record, forget), function(record)
        return kept[key][1]

    return kept_or_new


def _forget(kept: dict[int, Any], key: int, _: object) -> None:
    kept.pop(key, None)
