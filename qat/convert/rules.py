"""Lay a scheme over a network: which layer gets which number format.

Order of precedence, later wins: the scheme's own specs, the first/last policy, the rules in
their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, fx, nn

from qat.base.errors import InputError
from qat.convert.going_around import check_calls, check_tied
from qat.convert.integer import PLAN
from qat.convert.integer_plan import make_integer_plan
from qat.convert.kinds import Kinds, check_kind, layer_kinds, matches
from qat.convert.signs import input_minima, lower, tensor_minima
from qat.convert.specs import at_end, changed, no_match, signed_act, signed_weight
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Rule, Scheme, TensorSpec
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins


def make_plan(
    net: nn.Module,
    scheme: Scheme,
    example: Tensor | Iterable[Any],
    lowest: Mapping[str, float] | None = None,
) -> Plan:
    """The plan of a float network under a scheme.

    Layers count as first and last in the order they run in. An input whose sign the scheme leaves
    open gets unsigned codes if no image shows it negative.

    Args:
        net: A float network.
        scheme: What is asked.
        example: A batch of real, preprocessed images; or several batches, best those of the
            calibration: what decides signs is then known of all of them.
        lowest: Tensor → smallest value, as far as more images than the example's were looked at
            (:func:`qat.convert.signs.tensor_minima`).

    Raises:
        ValueError: If the network has no conv or linear layer, is one itself, or a rule asks
            the impossible.
        KeyError: If a rule matches no layer; the names are listed.
        GoneAroundError: If the weight of a planned layer is used without the layer, or is that of
            another layer too.
        TraceError: If a rule means layers behind complex activations and the network cannot be
            traced.
    """
    if not isinstance(example, Tensor):
        example, lowest = _looked_at(net, scheme.placement, list(example))
    if scheme.placement == "integer":
        return make_integer_plan(net, scheme, example, lowest or {})
    own = input_minima(net, example)
    if not own:
        raise InputError("nothing to quantize: the network runs no Conv1d, Conv2d or Linear layer")
    if "" in own:
        raise InputError("the network is a single layer: wrap it in torch.nn.Sequential")
    names = list(own)
    minima = lower(own, lowest or {})
    kinds = layer_kinds(net, names, [rule.match for rule in scheme.rules])
    _check_rules(scheme.rules, kinds)
    layers = {}
    for name in names:
        plan = _plan_layer(net, scheme, name, kinds, outer=name in (names[0], names[-1]))
        if plan is not None:
            layers[name] = _decide_signs(plan, minima[name])
    if scheme.quantize_output and names[-1] in layers:
        layers[names[-1]] = _with_output(layers[names[-1]], scheme.act)
    check_tied(net, layers)
    check_calls(net, layers, example)
    left_float = _left_float(net, layers)
    return Plan(layers, left_float, scheme.placement, ends=(names[0], names[-1]))


def with_signs(plan: Plan, net: nn.Module, example: Tensor) -> Plan:
    """The plan with every open sign decided by an example batch."""
    if all(spec.signed is not None for p in plan.layers.values() for spec in (p.weight, p.act)):
        return plan
    lowest = input_minima(net, example)
    decided = {name: _decide_signs(p, lowest.get(name, -1.0)) for name, p in plan.layers.items()}
    return replace(plan, layers=decided)


def plan_of(qnet: nn.Module) -> Plan:
    """The plan a quantized network was made by, read off its layers."""
    layers = {name: twin.plan for name, twin in twins(qnet)}
    if isinstance(qnet, fx.GraphModule) and PLAN in qnet.meta:
        plan: Plan = qnet.meta[PLAN]
        return replace(plan, layers=layers)
    return Plan(layers, _left_float(qnet, layers))


def _looked_at(
    net: nn.Module, placement: str, batches: Sequence[Any]
) -> tuple[Tensor, dict[str, float]]:
    """The images of the first batch, and the minima over all."""
    if not batches:
        raise InputError("a plan needs images: give a batch, or several")
    first = batches[0]
    return first if isinstance(first, Tensor) else first[0], tensor_minima(net, placement, batches)


def _plan_layer(
    net: nn.Module, scheme: Scheme, name: str, kinds: Kinds, *, outer: bool
) -> LayerPlan | None:
    weight, act = scheme.weight, scheme.act
    if outer:
        weight, act = (at_end(spec, scheme.first_last) for spec in (weight, act))
    for rule in scheme.rules:
        if not matches(rule.match, name, kinds):
            continue
        if rule.keep_float:
            weight, act = (spec.but(format="float") for spec in (weight, act))
        weight = changed(weight, rule.weight, rule.match)
        act = changed(act, rule.act, rule.match)
    if weight.is_off and act.is_off:
        return None
    return LayerPlan(name, type(net.get_submodule(name)).__name__, weight, act)


def _decide_signs(plan: LayerPlan, input_min: float) -> LayerPlan:
    weight, act = signed_weight(plan.weight), signed_act(plan.act, input_min)
    return replace(plan, weight=weight, act=act)


def _with_output(plan: LayerPlan, act: TensorSpec) -> LayerPlan:
    # Logits are of both signs, and as precious as the last layer's input.
    output = act.but(bits=plan.act.bits, format=plan.act.format, signed=True)
    return replace(plan, output=output)


def _check_rules(rules: Sequence[Rule], kinds: Kinds) -> None:
    for rule in rules:
        check_kind(rule.match)
        if not any(matches(rule.match, name, kinds) for name in kinds):
            raise no_match(rule.match, list(kinds))


def _left_float(net: nn.Module, layers: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Layers, and parameters of a module of layers, with a matrix that the plan leaves out."""
    found: list[tuple[str, str]] = []
    for name, module in net.named_modules():
        if name in layers or isinstance(module, QuantTwin):
            continue
        own = [n for n, p in module.named_parameters(recurse=False) if p.ndim >= 2]
        if own and name and next(module.children(), None) is None:
            found.append((name, type(module).__name__))
        else:
            found += [(f"{name}.{n}".lstrip("."), "Parameter") for n in own]
    return tuple(found)
