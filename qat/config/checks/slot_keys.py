"""Which keys of a tensor's slot (``scheme.weight``, ``scheme.act``) its chosen methods read."""

from collections.abc import Mapping

from qat.config.schema import SlotConfig

OF_OBSERVER = {"ema": ("momentum",), "percentile": ("percentile",)}
OF_QUANTIZER = {"lsq": ("start",)}
"""Options of the built-in methods, by name; the others have none, and the user's own any."""


def unread_of_slot(place: str, name: str, slot: SlotConfig) -> str | None:
    """Why a slot does not read a key, with a cure; None if it does.

    Args:
        place: ``scheme.weight`` or ``scheme.act``.
        name: The key within it, ``observer_options.percentile``.
        slot: Its settings.
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
    """Why a method does not read an option, or a target where there is no option."""
    if method == "user" or option in of_each.get(method, ()):
        return None
    owners = [owner for owner, options in of_each.items() if option in options] or ["user"]
    words = " or ".join(f"{choice}={owner}" for owner in owners)
    return f"{choice}={method} has no {option or 'target'}; leave it out, or take {words}"
