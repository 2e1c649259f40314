"""The keys of a slot (``scheme.weight``, ``scheme.act``) that its methods read."""

from collections.abc import Mapping

from qat.config.schema import SlotConfig
from qat.quantizers.declared import DECLARED

OF_OBSERVER = {"ema": ("momentum",), "percentile": ("percentile",)}
OF_QUANTIZER = {name: declared.options for name, declared in DECLARED.items()}
"""Options of the built-in methods, by name. The other built-in methods have none."""


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
    owners = [owner for owner, options in of_each.items() if option in options] or ["user"]
    words = " or ".join(f"{choice}={owner}" for owner in owners)
    return f"{choice}={method} has no {option or 'target'}; leave it out, or take {words}"
