"""The format of one tensor, from the scheme's format by first/last policy and signs."""

import difflib
from collections.abc import Sequence

from qat.base.errors import UnknownNameError
from qat.core.formats import LOW_BIT_FORMATS
from qat.core.scheme import Method, TensorSpec
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


def no_match(match: str, names: Sequence[str]) -> UnknownNameError:
    """Return the error for a rule that matches no layer.

    Args:
        match: The rule's ``match``.
        names: The names that it could match.

    Example:
        >>> print(no_match("conv", ["conv1", "fc"]))
        rule 'conv' matches no layer; did you mean 'conv1'; there are conv1, fc
    """
    near = difflib.get_close_matches(match, names, n=1)
    hint = f"; did you mean {near[0]!r}" if near else ""
    return UnknownNameError(f"rule {match!r} matches no layer{hint}; there are {', '.join(names)}")
