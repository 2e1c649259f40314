"""The values of the options of quantizers, checked before torch is loaded."""

from collections.abc import Mapping
from typing import Any

from qat.base.errors import InputError
from qat.config.checks.key_ranges import Range, shown

_BOOL = (False, True)
OPTIONS: Mapping[tuple[str, str], Range | tuple[Any, ...]] = {
    ("apot", "start"): ("mse", "paper"),
    ("apot", "standardize"): _BOOL,
    ("dsq", "alpha"): Range(0.001, 0.9),
    ("qil", "learn_gamma"): _BOOL,
    ("parq", "steepness"): Range(0, 100, above=True),
    ("parq", "end"): Range(0, 1, above=True),
}
"""``(quantizer, option)`` → its range, or its choices."""


def check_options(key: str, name: str, options: Mapping[str, Any]) -> None:
    """Refuse a value that an option of a built-in quantizer does not take.

    Args:
        key: Where the options are typed, such as ``scheme.act.options``.
        name: Of the quantizer.
        options: Option → value.

    Raises:
        InputError: At the first such value, with what is allowed.

    Example:
        >>> check_options("scheme.act.options", "dsq", {"alpha": 2})
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: scheme.act.options.alpha must be 0.001 to 0.9, got 2
    """
    for option, value in options.items():
        allowed = OPTIONS.get((name, option))
        if allowed is None or _allows(allowed, value):
            continue
        if isinstance(allowed, Range):
            words = str(allowed)
        else:
            words = " or ".join(str(a).lower() if isinstance(a, bool) else a for a in allowed)
        raise InputError(f"{key}.{option} must be {words}, got {shown(value)}")


def _allows(allowed: Range | tuple[Any, ...], value: Any) -> bool:
    if isinstance(allowed, Range):
        return value in allowed
    return any(type(value) is type(choice) and value == choice for choice in allowed)
