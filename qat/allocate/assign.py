"""From chosen widths to an ordinary plan."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qat.allocate.costs import NetworkCosts
from qat.base.errors import InputError
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import TensorSpec
from qat.sensitivity.widths import INTEGER_LIMIT, Bits, check_layers, with_bits


def apply_bits(
    plan: Plan,
    bits: Bits,
    reads: Mapping[str, str] | None = None,
    ties: Mapping[str, str] | None = None,
) -> Plan:
    """The plan with other widths; methods, layouts and signs stay as they are.

    A layer whose weight and input are both float is left out of the plan.

    Args:
        plan: Of the network.
        bits: Slot → width; the other slots keep their widths.
        reads: In placement ``integer``, layer → the tensor it reads
            (:func:`qat.sensitivity.groups.tensors_read`). A tensor takes the largest width among
            the layers that read it; one that no layer reads keeps its width.
        ties: Tensor → the tensor whose width it takes (:func:`qat.sensitivity.groups.add_ties`).

    Raises:
        KeyError: If a layer is not in the plan.
        ValueError: If a slot is float in the plan, or the placement has no such format, or
            ``reads`` is missing in placement ``integer``.

    Example:
        >>> from qat.core.scheme import TensorSpec
        >>> plan = Plan({"fc": LayerPlan("fc", "Linear", TensorSpec(), TensorSpec())})
        >>> apply_bits(plan, {("fc", "weight"): 4}).layers["fc"].weight.bits
        4
    """
    check_layers((name for name, _ in bits), list(plan.layers))
    for (name, slot), width in bits.items():
        if getattr(plan.layers[name], slot).is_off:
            raise InputError(
                f"{name} ({slot}) is float in the plan and takes no width, got {width}: leave that "
                "slot out, or quantize it in the plan"
            )
        if plan.placement == "integer" and width > INTEGER_LIMIT:
            raise InputError(
                f"{name} ({slot}): placement=integer takes 2 to {INTEGER_LIMIT} bits, got {width}; "
                "choose a narrower width, or use placement=academic"
            )
    layers = {name: _changed(layer, bits) for name, layer in plan.layers.items()}
    if plan.placement != "integer":
        return _without_float(plan, layers)
    if reads is None:
        raise InputError(
            "placement=integer needs the tensor that each layer reads: give reads=tensors_read(net)"
        )
    return _with_tensors(plan, layers, bits, reads, ties or {})


def fixed_layers(costs: NetworkCosts, plan: Plan, first_last: int | str) -> tuple[str, ...]:
    """Layers whose widths are set by the policy for the first and last layer.

    Args:
        costs: Of the network; its layers are in order of first call.
        plan: Made by that policy.
        first_last: ``scheme.first_last``; with ``same`` no layer is fixed.
    """
    names = [layer.name for layer in costs.layers]
    if str(first_last) == "same" or not names:
        return ()
    return tuple(name for name in dict.fromkeys((names[0], names[-1])) if name in plan.layers)


def _changed(layer: LayerPlan, bits: Bits) -> LayerPlan:
    specs: dict[str, Any] = {
        slot: with_bits(getattr(layer, slot), bits[layer.name, slot])
        for slot in ("weight", "act")
        if (layer.name, slot) in bits
    }
    return replace(layer, **specs)


def _without_float(plan: Plan, layers: Mapping[str, LayerPlan]) -> Plan:
    """The plan without the layers of which nothing is quantized, as a scheme makes it."""
    left = {
        name: layer
        for name, layer in layers.items()
        if layer.weight.is_off and layer.act.is_off and layer.output is None
    }
    kept = {name: layer for name, layer in layers.items() if name not in left}
    floats = tuple((name, layer.kind) for name, layer in left.items())
    return replace(plan, layers=kept, left_float=(*plan.left_float, *floats))


def _with_tensors(
    plan: Plan,
    layers: Mapping[str, LayerPlan],
    bits: Bits,
    reads: Mapping[str, str],
    ties: Mapping[str, str],
) -> Plan:
    widest: dict[str, int] = {}
    for (name, slot), width in bits.items():
        if slot == "act":
            read = ties.get(reads[name], reads[name])
            widest[read] = max(width, widest.get(read, 0))
    specs: dict[str, TensorSpec] = {}
    for name, tensor in plan.tensors.items():
        own = tensor.shares or name
        leader = ties.get(own, own)
        specs[name] = with_bits(tensor.spec, widest[leader]) if leader in widest else tensor.spec
    return replace(
        plan,
        layers={n: replace(layer, act=specs[reads[n]]) for n, layer in layers.items()},
        tensors={name: replace(t, spec=specs[name]) for name, t in plan.tensors.items()},
    )
