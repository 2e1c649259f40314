"""The plan of an integer network: every layer's weight, and every tensor that is stored.

Tensors get the scheme's ``act``. The first/last policy decides the format of the image and of the
last layer's input and output. A rule's ``act`` applies to the outputs of its layers. Tensors that
share a quantizer get the widest format among them.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.convert.going_around import check_tied
from qat.convert.integer_check import check_integer_form
from qat.convert.kinds import PREFIX
from qat.convert.signs import lower, stored_minima
from qat.convert.specs import at_end, no_match, signed_act, signed_weight
from qat.core.plan import LayerPlan, Plan, TensorPlan
from qat.core.rule_changes import changed
from qat.core.scheme import Rule, Scheme, TensorSpec
from qat.graph.points import Placement, QuantizerPoint, place
from qat.graph.trace import trace

MAX_BITS = 8
_KINDS = {"conv": "Conv2d", "linear": "Linear", "norm": "BatchNorm2d"}


def make_integer_plan(
    net: nn.Module, scheme: Scheme, example: Tensor, lowest: Mapping[str, float]
) -> Plan:
    """Plan a float network in placement ``integer``.

    Args:
        net: A float network that torch.fx can trace.
        scheme: Number formats and rules.
        example: Preprocessed images. A tensor without a negative value gets unsigned codes.
        lowest: Tensor → smallest value over further images; empty if there are none.

    Raises:
        ValueError: If there is nothing to quantize, an operation has no integer form (the message
            names its line), or the scheme needs a format other than integers of 2 to 8 bits.
        KeyError: If a rule matches no layer and no tensor.
        GoneAroundError: If a planned layer shares its weight with another layer.
        TraceError: If the network cannot be traced.
    """
    traced = trace(net)
    placement = place(traced)
    layers = [p for p in placement.points.values() if p.kind in _KINDS]
    if not layers:
        raise InputError("nothing to quantize: the network runs no Conv2d or Linear layer")
    _check_rules(scheme.rules, placement)
    check_integer_form(traced, placement, example)
    minima = lower(stored_minima(traced, placement, example), lowest)
    tensors = _tensors(scheme, placement, layers, minima)
    planned = _layers(scheme, placement, layers, tensors)
    check_tied(net, planned)
    names = list(planned)
    return Plan(planned, (), "integer", tensors, ends=(names[0], names[-1]))


def _tensors(
    scheme: Scheme,
    placement: Placement,
    layers: Sequence[QuantizerPoint],
    lowest: Mapping[str, float],
) -> dict[str, TensorPlan]:
    last = layers[-1]
    if last.rectifier is None:  # logits have both signs, whatever the example shows
        lowest = {**lowest, last.name: min(lowest[last.name], -1.0)}
    ends = {"input", last.name, _source(placement, last)}
    specs = {
        point.name: _checked(
            _ruled(at_end(scheme.act, scheme.first_last), scheme.rules, point)
            if point.name in ends
            else _ruled(scheme.act, scheme.rules, point),
            point.name,
        )
        for point in placement.points.values()
    }
    plans = {}
    for name, leader in placement.shares.items():
        group = [other for other, shared in placement.shares.items() if shared == leader]
        widest = max((specs[other] for other in group), key=lambda spec: spec.bits)
        spec = signed_act(widest, min(lowest[other] for other in group))
        shares = None if name == leader else leader
        plans[name] = TensorPlan(name, placement.points[name].kind, spec, shares)
    return plans


def _layers(
    scheme: Scheme,
    placement: Placement,
    layers: Sequence[QuantizerPoint],
    tensors: Mapping[str, TensorPlan],
) -> dict[str, LayerPlan]:
    plans = {}
    for point in layers:
        layer = point.name.split(":")[0]  # a layer that is called twice has one weight
        spec = scheme.weight
        if point in (layers[0], layers[-1]):
            spec = at_end(spec, scheme.first_last)
        for rule in scheme.rules:
            if fnmatchcase(layer, rule.match):
                spec = changed(spec, rule.weight, rule.match)
        if point.kind == "norm":  # one weight per channel is exact on any grid
            spec = TensorSpec(bits=MAX_BITS, granularity="channel")
        act = tensors[_source(placement, point)].spec
        if layer not in plans:
            weight = signed_weight(_checked(spec, layer))
            plans[layer] = LayerPlan(layer, _KINDS[point.kind], weight, act)
    return plans


def _source(placement: Placement, point: QuantizerPoint) -> str:
    """Return the name of the tensor that a layer reads."""
    first = next(o for o in placement.operations.values() if o.name == point.name)
    return placement.sources[first.inputs[0]]


def _ruled(spec: TensorSpec, rules: Sequence[Rule], point: QuantizerPoint) -> TensorSpec:
    for rule in rules:
        if any(fnmatchcase(member, rule.match) for member in point.members):
            spec = changed(spec, rule.act, rule.match)
    return spec


def _checked(spec: TensorSpec, name: str) -> TensorSpec:
    if spec.is_off or spec.format != "int" or spec.bits > MAX_BITS:
        kind = "float" if spec.is_off else spec.format
        format_ = f"{spec.bits} bits" if kind == "int" else kind
        raise InputError(
            f"{name}: placement=integer takes integers of 2 to {MAX_BITS} bits everywhere, got "
            f"{format_}; use scheme.placement=academic for anything else"
        )
    if spec.quantizer.name == "dynamic":
        raise InputError("mode=dynamic has no integer placement: use scheme.placement=academic")
    if spec.granularity == "group":
        raise InputError(f"{name}: placement=integer has scales per tensor or channel, not group")
    return spec


def _check_rules(rules: Sequence[Rule], placement: Placement) -> None:
    names = [member for point in placement.points.values() for member in point.members]
    for rule in rules:
        if rule.keep_float:
            raise InputError(
                f"rule {rule.match!r}: keep_float is not possible in an integer network: use "
                "scheme.placement=academic"
            )
        if rule.match.startswith(PREFIX):
            raise InputError(
                f"rule {rule.match!r}: a kind selects layers, and placement=integer quantizes "
                "every tensor: give a name pattern, or use scheme.placement=academic"
            )
        if not any(fnmatchcase(name, rule.match) for name in names):
            raise no_match(rule.match, names)
