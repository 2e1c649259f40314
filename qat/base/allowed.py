"""Checks of single values; each function raises ``ValueError`` with the key, if it fails."""

from collections.abc import Iterable
from math import inf

from qat.base.errors import InputError
from qat.base.synonyms import nearest


def one_of(
    key: str, value: object, allowed: Iterable[str], error: type[InputError] = InputError
) -> None:
    """Refuse a value that is not in a list, and suggest the nearest one that is.

    Args:
        key: Name of the setting, for the message.
        value: The value to check.
        allowed: The allowed values, in the order in which the message lists them.
        error: Class of the error to raise.

    Raises:
        InputError: If ``value`` is not allowed; of the class ``error``.

    Example:
        >>> one_of("mode", "statc", ["float", "static", "qat"])
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: mode must be one of float, static, qat, got 'statc'; \
did you mean 'static'?
    """
    words = list(allowed)
    if value not in words:
        hint = nearest(str(value), words)
        raise error(f"{key} must be one of {', '.join(words)}, got {value!r}{hint}")


def above_zero(key: str, value: object) -> None:
    """Refuse a value that is not a finite number above 0; None (not set) is accepted.

    Args:
        key: Name of the setting, for the message.
        value: The value to check.

    Raises:
        InputError: If ``value`` is zero, negative, NaN, infinite, a boolean, or not a number.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 < value < inf):  # type: ignore[operator]
        raise InputError(f"{key} must be a number above 0, got {value!r}")
