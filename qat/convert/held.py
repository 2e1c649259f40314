"""Hold the ranges of a plan: scales and zero points that a file gives instead of calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.convert.calibrate import fit_biases
from qat.convert.specs import uniform_if_needed
from qat.core.held_plan import HeldPlan, HeldRange
from qat.core.plan import Plan
from qat.core.scheme import Scheme, TensorSpec
from qat.layers.walk import quantizers
from qat.quantizers.base import Quantizer

_LISTED = 5


@torch.no_grad()
def hold_ranges(qnet: nn.Module, held: HeldPlan) -> list[str]:
    """Give quantizers the scales and zero points of a plan, and keep them.

    In training, ranges that follow the data stay as they are; a step that is learned starts there.

    Args:
        qnet: The network that :func:`qat.convert.swap.quantize` made from ``held.plan``; calibrated
            if the plan has no range for some quantizers. It is changed in place.
        held: The plan with its ranges.

    Returns:
        Names of the layers whose weight scale had to be raised, so that the bias fits 32 bits.

    Raises:
        InputError: If a range belongs to no quantizer, has another number of scales, or is one that
            the quantizer cannot have; the message names the tensor.

    Example:
        >>> from qat.convert.swap import quantize
        >>> from qat.core.plan import LayerPlan
        >>> spec = TensorSpec(bits=4, signed=True)
        >>> plan = Plan({"0": LayerPlan("0", "Linear", spec, spec)})
        >>> ranges = {"0.weight": HeldRange((0.5,), (0,)), "0.act": HeldRange((0.25,), (0,))}
        >>> qnet = quantize(nn.Sequential(nn.Linear(2, 1)), plan).eval()
        >>> hold_ranges(qnet, HeldPlan(plan, ranges))
        []
        >>> qnet[0].input_quantizer(torch.tensor([0.3, 9.0])).tolist()
        [0.25, 1.75]
    """
    known = {f"{name}.{slot}": quantizer for name, slot, quantizer in quantizers(qnet)}
    check_places(held.ranges, known)
    for place, values in held.ranges.items():
        _set(place, known[place], values)
    fit_biases(qnet)
    weights = (place for place in held.ranges if place.endswith(".weight"))
    return [
        place.removesuffix(".weight")
        for place in weights
        if not torch.equal(
            known[place].qparams().scale.reshape(-1).cpu(), _scale(held.ranges[place])
        )
    ]


def check_places(ranges: Mapping[str, HeldRange], places: Mapping[str, object]) -> None:
    """Check that every range belongs to a quantizer.

    Args:
        ranges: ``name.slot`` → range.
        places: ``name.slot`` of every quantizer.

    Raises:
        InputError: If one does not.
    """
    unknown = [place for place in ranges if place not in places]
    if unknown:
        raise InputError(
            f"the plan belongs to another network: no quantizer is at {_some(unknown)}; "
            f"this network has {_some(list(places))}; import the file again for this network"
        )


def with_methods(plan: Plan, scheme: Scheme) -> Plan:
    """Return a plan with the formats of a file and the quantizers and observers of a scheme.

    A quantizer that has no codes of a tensor's width gives way to ``minmax``, as at the first and
    the last layer of a network.

    Args:
        plan: The plan of a file.
        scheme: Its two methods are used, nothing else.

    Example:
        >>> from qat.core.plan import LayerPlan
        >>> from qat.core.scheme import Method
        >>> spec = TensorSpec(bits=4, signed=True)
        >>> plan = Plan({"fc": LayerPlan("fc", "Linear", spec, spec)})
        >>> scheme = Scheme(weight=TensorSpec(quantizer=Method("lsq")))
        >>> with_methods(plan, scheme).layers["fc"].weight.quantizer.name
        'lsq'
    """

    def changed(spec: TensorSpec, own: TensorSpec) -> TensorSpec:
        if spec.is_off or spec.format != "int":
            return spec
        return uniform_if_needed(spec.but(quantizer=own.quantizer, observer=own.observer))

    layers = {
        name: replace(
            layer,
            weight=changed(layer.weight, scheme.weight),
            act=changed(layer.act, scheme.act),
            output=layer.output and changed(layer.output, scheme.act),
        )
        for name, layer in plan.layers.items()
    }
    tensors = {
        name: replace(tensor, spec=changed(tensor.spec, scheme.act))
        for name, tensor in plan.tensors.items()
    }
    return replace(plan, layers=layers, tensors=tensors)


def _set(place: str, quantizer: Quantizer, values: HeldRange) -> None:
    layout, grid = quantizer.layout, quantizer.grid
    if len(values.scale) != layout.slices:
        raise InputError(
            f"{place}: the plan has {len(values.scale)} scales and the network needs "
            f"{layout.slices}: import the file again for this network"
        )
    scale = _scale(values).to(quantizer.calibrated.device).reshape(layout.shape)
    zero_point = torch.tensor(values.zero_point, dtype=torch.float32).to(scale).reshape(scale.shape)
    if not bool(((zero_point >= grid.qmin) & (zero_point <= grid.qmax)).all()):
        raise InputError(
            f"{place}: a zero point must be {grid.qmin} to {grid.qmax}, got "
            f"{int(zero_point.min())} to {int(zero_point.max())}: import the file again"
        )
    quantizer.least_scale = None  # of the range before
    if not _takes(quantizer, scale, zero_point):
        slot = "weight" if layout.of_weights else "act"
        raise InputError(
            f"{place}: {quantizer.spec.quantizer.name} cannot have the scales of a file: set "
            f"quantizer@scheme.{slot}=minmax, or leave scheme.plan out"
        )
    quantizer.frozen = True


def _takes(quantizer: Quantizer, scale: Tensor, zero_point: Tensor) -> bool:
    """Set scale and zero point; False if the method has others then."""
    if quantizer.codebook() is not None:
        return False
    try:
        quantizer.set_qparams(scale, zero_point)
        own = quantizer.qparams()
    except (InputError, NotImplementedError):
        return False
    close = torch.allclose(own.scale.reshape(scale.shape), scale, rtol=1e-5, atol=0.0)
    return close and torch.equal(own.zero_point.reshape(scale.shape), zero_point)


def _scale(values: HeldRange) -> Tensor:
    return torch.tensor(values.scale, dtype=torch.float32)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
