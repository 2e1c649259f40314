"""The keys of a slot (``scheme.weight``, ``scheme.act``) that its methods read."""

from collections.abc import Mapping

from qat.base.errors import InputError
from qat.base.synonyms import close
from qat.config.checks.key_ranges import Range
from qat.config.schema import SlotConfig
from qat.core.formats import MX_FORMATS
from qat.core.scheme import Method
from qat.quantizers.declared import DECLARED

RANGES_OF_OBSERVER = {
    "ema": {"momentum": Range(0, 1, above=True)},
    "percentile": {"percentile": Range(50, 100, above=True)},
    "std": {"k": Range(0, 1000, above=True)},
}
"""Numeric options of the built-in observers, by name. The other built-in observers have none."""
OF_OBSERVER = {name: tuple(ranges) for name, ranges in RANGES_OF_OBSERVER.items()}
OF_QUANTIZER = {name: declared.options for name, declared in DECLARED.items()}
"""Options of the built-in methods, by name. The other built-in methods have none."""


def check_observer_options(key: str, observer: Method) -> None:
    """Refuse an option of a built-in observer that is out of its range.

    Args:
        key: Where the observer is named, such as ``observer@scheme.act``.
        observer: Name and options.

    Raises:
        ValueError: At the first such option.

    Example:
        >>> check_observer_options("observer@scheme.act", Method("std", options={"k": 0}))
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: observer@scheme.act=std: k must be above 0, at most 1000, got 0
    """
    for option, allowed in RANGES_OF_OBSERVER.get(observer.name, {}).items():
        value = observer.options.get(option, allowed.high)
        if value not in allowed:
            raise InputError(f"{key}={observer.name}: {option} must be {allowed}, got {value}")


def unread_of_slot(place: str, name: str, slot: SlotConfig) -> str | None:
    """The reason why a slot does not read a key, with a cure; None if it does.

    Args:
        place: ``scheme.weight`` or ``scheme.act``.
        name: The key within the slot, such as ``observer_options.percentile``.
        slot: The settings of the slot.

    Example:
        >>> slot = SlotConfig(quantizer="minmax")
        >>> unread_of_slot("scheme.act", "options.start", slot)[:59]
        'quantizer@scheme.act=minmax has no start; leave it out, or '
    """
    leaf, _, option = name.partition(".")
    if leaf in ("granularity", "group_size", "scale") and slot.format in MX_FORMATS:
        return f"{place}.format={slot.format} has a scale for each block of values; leave it out"
    if leaf == "group_size" and slot.granularity != "group":
        return f"granularity={slot.granularity} has no groups; add {place}.granularity=group"
    if leaf in ("observer_options", "observer_target"):
        return _unread_option(f"observer@{place}", slot.observer, option, OF_OBSERVER)
    if leaf in ("options", "target"):
        return _unread_option(f"quantizer@{place}", slot.quantizer, option, OF_QUANTIZER)
    return None


def _unread_option(
    choice: str, method: str, option: str, of_each: Mapping[str, tuple[str, ...]]
) -> str | None:
    """The reason why a method does not read an option, or a target if ``option`` is empty."""
    if method == "user" or option in of_each.get(method, ()):
        return None
    owners = [owner for owner, options in of_each.items() if option in options]
    if not owners and (meant := close(option, of_each.get(method, ()))):
        return f"{choice}={method} has no {option}; did you mean {meant!r}?"
    owners = owners or ["user"]
    words = " or ".join(f"{choice}={owner}" for owner in owners)
    return f"{choice}={method} has no {option or 'target'}; leave it out, or take {words}"
