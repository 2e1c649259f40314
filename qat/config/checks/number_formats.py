"""Checks of a slot's number format: its width, and the settings that go with it."""

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.config.schema import SlotConfig
from qat.core.formats import LOW_BIT_FORMATS, MX_FORMATS, conflict, may_have_width, width_of
from qat.core.grid import ONE_BIT_METHODS

NUMBER_FORMATS = ("int", "fp16", *LOW_BIT_FORMATS)


def check_format(key: str, slot: SlotConfig) -> None:
    """Refuse an unknown format, and widths and settings that the format cannot have.

    Args:
        key: ``scheme.weight`` or ``scheme.act``.
        slot: Its settings.

    Raises:
        ValueError: At the first such setting, with the overrides to write instead.
    """
    one_of(f"{key}.format", slot.format, NUMBER_FORMATS)
    check_one_bit(key, slot.bits, slot.quantizer)
    if slot.format not in LOW_BIT_FORMATS:
        return
    if not may_have_width(slot.format, slot.bits):
        raise InputError(
            f"{key}.bits={slot.bits} is not the width of {key}.format={slot.format}: set "
            f"{key}.bits={width_of(slot.format)}, or {key}.format=int"
        )
    wrong = conflict(slot.format, signed=slot.signed, symmetric=slot.symmetric, narrow=slot.narrow)
    if wrong is not None:
        raise InputError(f"{key}.{wrong}, or {key}.format=int")
    if slot.format in MX_FORMATS and slot.observer != "default":
        raise InputError(
            f"{key}.format={slot.format} takes its scales from each block of values and would "
            f"ignore observer@{key}={slot.observer}: leave it out"
        )


def check_one_bit(key: str, bits: int, quantizer: str) -> None:
    """Refuse 1 bit for a method without it.

    Args:
        key: Of the slot, also that of a rule.
        bits: Width of a code.
        quantizer: Name of the method.

    Raises:
        ValueError: If the method has no codes of 1 bit; the message names those that have.
    """
    if bits == 1 and quantizer not in ONE_BIT_METHODS:
        raise InputError(
            f"{key}.bits must be 2 to 16, or 32 for off, got 1; 1 bit needs the quantizer "
            f"{' (weights) or '.join(ONE_BIT_METHODS)} (activations)"
        )
