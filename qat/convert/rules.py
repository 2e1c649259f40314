"""The plan of a network under a scheme: which layer gets which number format.

A later item of this list overrides an earlier one: the scheme's own formats, the first/last
policy, the rules in their order.
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
from qat.convert.specs import at_end, no_match, signed_act, signed_weight
from qat.core.plan import LayerPlan, Plan
from qat.core.rule_changes import changed
from qat.core.scheme import Rule, Scheme, TensorSpec
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins


def make_plan(
    net: nn.Module,
    scheme: Scheme,
    example: Tensor | Iterable[Any],
    lowest: Mapping[str, float] | None = None,
) -> Plan:
    """Plan a float network under a scheme.

    The first and the last layer are those in execution order. If the scheme leaves the sign of an
    input open, the input gets unsigned codes if it has no negative value for any image.

    Args:
        net: A float network.
        scheme: Number formats, first/last policy, placement and rules.
        example: A batch of real, preprocessed images, or several batches. The images decide open
            signs, so the images of the calibration are the best choice.
        lowest: Tensor → smallest value over further images, from
            :func:`qat.convert.signs.tensor_minima`; None if there are no further images.

    Raises:
        ValueError: If the network has no convolution or linear layer, is itself such a layer, or a
            rule or format is not possible.
        KeyError: If a rule matches no layer; the message lists the names.
        GoneAroundError: If the network uses the weight of a planned layer without calling the
            layer, or two layers share it.
        TraceError: If placement ``integer``, or a rule for ``kind:complex``, needs a trace of the
            network and it cannot be traced.
        UnsupportedOperationError: If placement is ``integer`` and an operation has no integer
            form; the message names its line.

    Example:
        >>> import torch
        >>> net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
        >>> plan = make_plan(net, Scheme(), torch.rand(4, 1, 2, 2))
        >>> [(name, layer.weight.bits, layer.act.signed) for name, layer in plan.layers.items()]
        [('0', 8, False), ('3', 8, False)]
    """
    if not isinstance(example, Tensor):
        example, lowest = _first_and_minima(net, scheme.placement, list(example))
    if scheme.placement == "integer":
        return make_integer_plan(net, scheme, example, lowest or {})
    return _make_layer_plan(net, scheme, example, lowest or {})


def _make_layer_plan(
    net: nn.Module, scheme: Scheme, example: Tensor, lowest: Mapping[str, float]
) -> Plan:
    """Plan the layers one by one, for placement academic."""
    input_lows = input_minima(net, example)
    if not input_lows:
        raise InputError("nothing to quantize: the network runs no Conv1d, Conv2d or Linear layer")
    if "" in input_lows:
        raise InputError("the network is a single layer: wrap it in torch.nn.Sequential")
    names = list(input_lows)
    minima = lower(input_lows, lowest)
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
    """Return a plan without open signs.

    Args:
        plan: A plan; the sign of a weight or an input may be open.
        net: The float network of the plan.
        example: Preprocessed images, which decide the open signs of inputs.
    """
    if all(spec.signed is not None for p in plan.layers.values() for spec in (p.weight, p.act)):
        return plan
    lowest = input_minima(net, example)
    decided = {name: _decide_signs(p, lowest.get(name, -1.0)) for name, p in plan.layers.items()}
    return replace(plan, layers=decided)


def plan_of(qnet: nn.Module) -> Plan:
    """Return the plan of a quantized network, from its layers."""
    layers = {name: twin.plan for name, twin in twins(qnet)}
    if isinstance(qnet, fx.GraphModule) and PLAN in qnet.meta:
        plan: Plan = qnet.meta[PLAN]
        return replace(plan, layers=layers)
    return Plan(layers, _left_float(qnet, layers))


def _first_and_minima(
    net: nn.Module, placement: str, batches: Sequence[Any]
) -> tuple[Tensor, dict[str, float]]:
    """Return the images of the first batch, and the minima over all batches."""
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
    # Logits have both signs, and the same width as the last layer's input.
    output = act.but(bits=plan.act.bits, format=plan.act.format, signed=True)
    return replace(plan, output=output)


def _check_rules(rules: Sequence[Rule], kinds: Kinds) -> None:
    for rule in rules:
        check_kind(rule.match)
        if not any(matches(rule.match, name, kinds) for name in kinds):
            raise no_match(rule.match, list(kinds))


def _left_float(net: nn.Module, layers: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and class of each layer with a matrix that the plan leaves out.

    A parameter of a module with layers inside counts by itself, as ``Parameter``.
    """
    matrices: list[tuple[str, str]] = []
    for name, module in net.named_modules():
        if name in layers or isinstance(module, QuantTwin):
            continue
        names = [n for n, p in module.named_parameters(recurse=False) if p.ndim >= 2]
        if names and name and next(module.children(), None) is None:
            matrices.append((name, type(module).__name__))
        else:
            matrices += [(f"{name}.{n}".lstrip("."), "Parameter") for n in names]
    return tuple(matrices)
