"""Functions of a record whose value is computed once for each record."""

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from qat.records.schema import RunRecord

Fact = TypeVar("Fact")


def once_a_record(function: Callable[[RunRecord], Fact]) -> Callable[[RunRecord], Fact]:
    """The function, with its value kept as long as the record exists.

    A record is frozen, so the value cannot change. Records hold mappings and so have no hash:
    values are kept by the identity of the record.
    """
    kept: dict[int, tuple[weakref.ref[RunRecord], Fact]] = {}

    @functools.wraps(function)
    def kept_or_new(record: RunRecord) -> Fact:
        key = id(record)
        if key not in kept:
            forget = functools.partial(_forget, kept, key)
            kept[key] = weakref.ref(record, forget), function(record)
        return kept[key][1]

    return kept_or_new


def _forget(kept: dict[int, Any], key: int, _: object) -> None:
    kept.pop(key, None)
