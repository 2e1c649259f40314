"""Checks of ``scheme.plan``, a file with the formats and ranges of each tensor."""

from qat.base.errors import InputError
from qat.config.schema import RunConfig

MODES = ("float", "static", "qat")
_READ = ("plan", "placement", "name")
READ_OF_SLOT = ("quantizer", "target", "options", "observer")
"""Beginnings of the keys of a slot that a run with a plan reads: its methods."""


def check_plan(config: RunConfig) -> None:
    """Refuse modes and settings that decide what the file has decided.

    Raises:
        InputError: At the first such setting.
    """
    plan = config.scheme.plan
    if plan is None:
        return
    if config.mode not in MODES:
        why = "chooses widths" if config.mode == "mixed" else "measures ranges at inference"
        raise InputError(
            f"scheme.plan={plan} has formats and ranges, and mode={config.mode} {why}: use "
            "mode=static or qat, or leave scheme.plan out"
        )
    if config.aids.progressive_bits:
        raise InputError(
            f"aids.progressive_bits trains at other widths than those of scheme.plan={plan}: leave "
            "one of the two out"
        )


def unread_with_plan(name: str, config: RunConfig) -> str | None:
    """The reason why a run with ``scheme.plan`` does not read a key of the scheme.

    Args:
        name: The key under ``scheme``, such as ``weight.bits``.
        config: Of the run.

    Returns:
        The reason with a cure; None if the run reads the key.

    Example:
        >>> config = RunConfig()
        >>> config.scheme.plan = "net.plan.json"
        >>> unread_with_plan("weight.bits", config)
        'scheme.plan=net.plan.json has the number formats; leave one of the two out'
    """
    if config.scheme.plan is None or name in _READ:
        return None
    slot, _, leaf = name.partition(".")
    if slot in ("weight", "act") and leaf.startswith(READ_OF_SLOT):
        return None
    return f"scheme.plan={config.scheme.plan} has the number formats; leave one of the two out"
