"""What a rule changes in the number format of one tensor."""

from collections.abc import Mapping
from typing import Any

from qat.base.errors import InputError
from qat.core.formats import OFF_BITS, may_have_width, width_of
from qat.core.scheme import TensorSpec


def changed(spec: TensorSpec, changes: Mapping[str, Any], match: str) -> TensorSpec:
    """Return a format with the changes of a rule.

    Args:
        spec: Format before the rule.
        changes: Field → new value; a new width without a format means integers.
        match: The rule's ``match``, for the message.

    Raises:
        ValueError: If a field does not exist, or a value is not allowed; the message names the
            rule.

    Example:
        >>> changed(TensorSpec(format="float"), {"bits": 4}, "conv*").format
        'int'
    """
    if not changes:
        return spec
    form = str(changes.get("format"))
    if "bits" in changes and not may_have_width(form, changes["bits"]):
        raise InputError(
            f"rule {match!r}: bits={changes['bits']} is not the width of format={form}: leave bits "
            f"out, or set format=int"
        )
    if "bits" in changes and "format" not in changes:
        changes = {"format": "int", **changes}
    if (width := width_of(form)) is not None and spec.bits == OFF_BITS:
        changes = {"bits": width, **changes}  # 32 would mean off
    try:
        after = spec.but(**changes)
    except TypeError as error:
        allowed = ", ".join(TensorSpec.__dataclass_fields__)
        raise InputError(f"rule {match!r}: {sorted(changes)} must be among {allowed}") from error
    except ValueError as error:
        raise InputError(f"rule {match!r}: {error}") from error
    if after.is_block and after.observer.name != "default" and "observer" in changes:
        raise InputError(
            f"rule {match!r}: {after.format} takes its scales from each block of values and would "
            f"ignore the observer {after.observer.name}: leave it out"
        )
    return after
