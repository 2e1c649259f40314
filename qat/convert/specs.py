"""What becomes of a scheme's spec at one tensor: policies, rules, signs."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from qat.base.errors import InputError
from qat.core.scheme import OFF_BITS, TensorSpec

FP16_BITS = 16


def at_end(spec: TensorSpec, policy: int | str) -> TensorSpec:
    """The spec at a network's first or last layer; what is off stays off."""
    if spec.is_off or policy == "same":
        return spec
    if policy in ("float", "fp16"):
        return spec.but(format=policy)
    return spec.but(format="int", bits=int(policy))


def changed(spec: TensorSpec, changes: Mapping[str, Any], match: str) -> TensorSpec:
    """The spec with a rule's changes.

    Raises:
        ValueError: If they name no field, or a value is not allowed; the rule is named.
    """
    if not changes:
        return spec
    if "bits" in changes and "format" not in changes:
        changes = {"format": "int", **changes}
    if changes.get("format") == "fp16" and spec.bits == OFF_BITS:
        changes = {"bits": FP16_BITS, **changes}  # 32 would say that it is off
    try:
        return spec.but(**changes)
    except TypeError as error:
        allowed = ", ".join(TensorSpec.__dataclass_fields__)
        raise InputError(f"rule {match!r}: {sorted(changes)} must be among {allowed}") from error
    except ValueError as error:
        raise InputError(f"rule {match!r}: {error}") from error


def signed_act(spec: TensorSpec, lowest: float) -> TensorSpec:
    """An activation's open sign decided by the smallest value seen.

    An asymmetric grid is unsigned: its zero point does what a sign would.
    """
    if spec.signed is not None:
        return spec
    return spec.but(signed=spec.narrow or (spec.symmetric and lowest < 0))


def signed_weight(spec: TensorSpec) -> TensorSpec:
    """A weight's open sign: signed."""
    return spec if spec.signed is not None else spec.but(signed=True)


def no_match(match: str, names: Sequence[str]) -> KeyError:
    """The error of a rule that matches nothing."""
    near = difflib.get_close_matches(match, names, n=1)
    hint = f"; did you mean {near[0]!r}" if near else ""
    return KeyError(f"rule {match!r} matches no layer{hint}; there are {', '.join(names)}")
