"""Refusing values that a key cannot have; each function raises ``ValueError`` with the key."""

from collections.abc import Iterable
from math import isfinite

from qat.base.errors import InputError
from qat.cli.errors import nearest


def one_of(key: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse a word that is not in a list, with the nearest that is."""
    words = list(allowed)
    if value not in words:
        hint = nearest(str(value), words)
        raise InputError(f"{key} must be one of {', '.join(words)}, got {value!r}{hint}")


def at_least(key: str, value: float | None, low: float) -> None:
    """Refuse a number below ``low``, NaN or infinite; None passes."""
    if value is not None and not (isfinite(value) and value >= low):
        raise InputError(f"{key} must be {low} or more, got {value}")


def above_zero(key: str, value: float | None) -> None:
    """Refuse zero, less, NaN and infinite; None passes."""
    if value is not None and not (isfinite(value) and value > 0):
        raise InputError(f"{key} must be above 0, got {value}")
