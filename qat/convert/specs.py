"""The format of one tensor, from the scheme's format by first/last policy, rules and signs."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from qat.base.errors import InputError
from qat.core.formats import LOW_BIT_FORMATS, width_of
from qat.core.scheme import OFF_BITS, Method, TensorSpec
from qat.quantizers.declared import unsupported


def at_end(spec: TensorSpec, policy: int | str) -> TensorSpec:
    """Return the format at a network's first or last layer; a format that is off stays off.

    A method that has no codes of the policy's width gives way to the quantizer ``minmax``.

    Args:
        spec: Format of the scheme.
        policy: ``scheme.first_last``: a width in bits, ``float``, ``fp16`` or ``same``.

    Example:
        >>> at_end(TensorSpec(bits=4), 8).bits, at_end(TensorSpec(bits=4), "same").bits
        (8, 4)
    """
    if spec.is_off or policy == "same":
        return spec
    if policy in ("float", "fp16"):
        return spec.but(format=policy)
    return uniform_if_needed(spec.but(format="int", bits=int(policy)))


def uniform_if_needed(spec: TensorSpec) -> TensorSpec:
    """The format with min-max quantization, if its method has no codes of this width."""
    if unsupported(spec.quantizer.name, spec, ("format", "bits")) is None:
        return spec
    return spec.but(quantizer=Method("minmax"), observer=Method("default"))


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
    if "bits" in changes and "format" not in changes:
        changes = {"format": "int", **changes}
    width = width_of(str(changes.get("format")))
    if width is not None and spec.bits == OFF_BITS:
        changes = {"bits": width, **changes}  # 32 would mean off
    try:
        return spec.but(**changes)
    except TypeError as error:
        allowed = ", ".join(TensorSpec.__dataclass_fields__)
        raise InputError(f"rule {match!r}: {sorted(changes)} must be among {allowed}") from error
    except ValueError as error:
        raise InputError(f"rule {match!r}: {error}") from error


def signed_act(spec: TensorSpec, lowest: float) -> TensorSpec:
    """Return the format of an activation without an open sign.

    An asymmetric grid gets unsigned codes: its zero point makes room for negative values. Low-bit
    floats always have a sign.

    Args:
        spec: Format of the activation.
        lowest: Its smallest value over all images.

    Example:
        >>> signed_act(TensorSpec(), -0.5).signed, signed_act(TensorSpec(), 0.0).signed
        (True, False)
    """
    if spec.signed is not None:
        return spec
    if spec.format in LOW_BIT_FORMATS:
        return spec.but(signed=True)
    return spec.but(signed=spec.narrow or (spec.symmetric and lowest < 0))


def signed_weight(spec: TensorSpec) -> TensorSpec:
    """Return the format of a weight without an open sign: signed."""
    return spec if spec.signed is not None else spec.but(signed=True)


def no_match(match: str, names: Sequence[str]) -> KeyError:
    """Return the error for a rule that matches no layer.

    Args:
        match: The rule's ``match``.
        names: The names that it could match.

    Example:
        >>> print(no_match("conv", ["conv1", "fc"]).args[0])
        rule 'conv' matches no layer; did you mean 'conv1'; there are conv1, fc
    """
    near = difflib.get_close_matches(match, names, n=1)
    hint = f"; did you mean {near[0]!r}" if near else ""
    return KeyError(f"rule {match!r} matches no layer{hint}; there are {', '.join(names)}")
