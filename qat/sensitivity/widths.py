"""Candidate widths, and the slots of a plan that may take them.

A width is the number of bits of an integer format, 2 to 8; 16 is fp16 and 32 is float.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from qat.base.errors import InputError, UnknownNameError
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import OFF_BITS, TensorSpec

FP16_BITS = 16
FLOAT_BITS = OFF_BITS
WIDTHS = (2, 3, 4, 5, 6, 7, 8, FP16_BITS, FLOAT_BITS)
SLOTS = ("weight", "act")
INTEGER_LIMIT = 8
"""Widest integer code."""

Slot = tuple[str, str]
"""``(layer, weight | act)``."""
Bits = Mapping[Slot, int]
"""Slot → width."""


def check_widths(widths: Iterable[int], placement: str = "academic") -> tuple[int, ...]:
    """The widths in ascending order, each once.

    Args:
        widths: Candidates.
        placement: ``academic`` or ``integer``; ``integer`` has widths up to 8 bits only.

    Raises:
        ValueError: If there is none, one is unknown, or the placement has no such format.

    Example:
        >>> check_widths([8, 4, 8])
        (4, 8)
    """
    ascending = tuple(sorted(set(widths)))
    if not ascending:
        raise InputError("there are no candidate widths: give at least one, such as 2, 4, 8")
    unknown = [width for width in ascending if width not in WIDTHS]
    if unknown:
        raise InputError(
            f"candidate widths must be among {', '.join(map(str, WIDTHS))} (16 is fp16, 32 float), "
            f"got {', '.join(map(str, unknown))}"
        )
    if placement == "integer" and ascending[-1] > INTEGER_LIMIT:
        raise InputError(
            f"placement=integer takes integers of 2 to {INTEGER_LIMIT} bits, got {ascending[-1]}; "
            "drop that width, or use scheme.placement=academic"
        )
    return ascending


def with_bits(spec: TensorSpec, bits: int) -> TensorSpec:
    """The spec at another width; method, layout and symmetry stay.

    Args:
        spec: Of one tensor.
        bits: 2 to 8, 16 for fp16, 32 for float.

    Example:
        >>> with_bits(TensorSpec(bits=8), 16).format
        'fp16'
    """
    if bits == FLOAT_BITS:
        return spec.but(format="float")
    if bits == FP16_BITS:
        return spec.but(format="fp16")
    return spec.but(format="int", bits=bits)


def slots_of(plan: Plan) -> list[Slot]:
    """The tensors that a plan quantizes: weight and input of each layer, in execution order.

    A batch norm that placement ``integer`` keeps as a layer is left out: it has one weight for each
    channel, and any grid represents a single value.
    """
    return [
        (name, slot)
        for name, layer in plan.layers.items()
        if layer.kind != "BatchNorm2d"
        for slot in SLOTS
        if not getattr(layer, slot).is_off
    ]


def spec_of(plan: Plan, slot: Slot) -> TensorSpec:
    """The spec of a slot.

    Args:
        plan: The plan.
        slot: ``(layer, weight | act)``.
    """
    return getattr(plan.layers[slot[0]], slot[1])  # type: ignore[no-any-return]


def at_width(plan: Plan, bits: int) -> Plan:
    """The plan with every slot, and every tensor between layers, at one width.

    Args:
        plan: The plan.
        bits: 2 to 8, 16 for fp16, 32 for float.
    """
    slots = set(slots_of(plan))

    def changed(layer: LayerPlan) -> LayerPlan:
        specs: dict[str, Any] = {
            slot: with_bits(getattr(layer, slot), bits)
            for slot in SLOTS
            if (layer.name, slot) in slots
        }
        return replace(layer, output=None, **specs)

    return replace(
        plan,
        layers={name: changed(layer) for name, layer in plan.layers.items()},
        tensors={n: replace(t, spec=with_bits(t.spec, bits)) for n, t in plan.tensors.items()},
    )


def check_layers(named: Iterable[str], known: Sequence[str]) -> None:
    """Refuse names of layers that do not exist.

    Args:
        named: Names to check.
        known: Names of the layers that exist.

    Raises:
        KeyError: If a name is unknown; the message lists the layers.
    """
    unknown = [name for name in dict.fromkeys(named) if name not in known]
    if unknown:
        raise UnknownNameError(
            f"no layer {', '.join(map(repr, unknown[:5]))} in the plan; it has {', '.join(known)}"
        )
