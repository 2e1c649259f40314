"""Refusing values that a key cannot have; each function raises ``ValueError`` with the key."""

from collections.abc import Iterable
from math import inf

from qat.base.errors import InputError
from qat.base.synonyms import nearest


def one_of(
    key: str, value: object, allowed: Iterable[str], error: type[InputError] = InputError
) -> None:
    """Refuse a word that is not in a list, with the nearest that is.

    Raises:
        InputError: Or the class that is given.
    """
    words = list(allowed)
    if value not in words:
        hint = nearest(str(value), words)
        raise error(f"{key} must be one of {', '.join(words)}, got {value!r}{hint}")


def above_zero(key: str, value: object) -> None:
    """Refuse zero, less, NaN, infinite and what is no number; None passes."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 < value < inf):  # type: ignore[operator]
        raise InputError(f"{key} must be a number above 0, got {value!r}")
