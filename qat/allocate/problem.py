"""The problem that allocators solve: one width for each group of slots, with predicted harms."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from qat.allocate.costs import NetworkCosts
from qat.base.errors import InputError
from qat.core.plan import Plan
from qat.sensitivity.widths import Bits, Slot, check_layers, check_widths, slots_of, spec_of

Interactions = Mapping[tuple[int, int], Mapping[tuple[int, int], float]]


@dataclass(frozen=True)
class Variable:
    """Slots that take the same width.

    Attributes:
        slots: The slots.
        harms: Width → sum of the slots' harms, in ascending order of widths.

    Example:
        >>> Variable((("fc", "weight"),), {2: 1.5, 4: 0.5}).widths
        (2, 4)
    """

    slots: tuple[Slot, ...]
    harms: Mapping[int, float]

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Candidates, ascending."""
        return tuple(self.harms)


@dataclass(frozen=True)
class Problem:
    """The widths to choose.

    The harm of a plan is the sum over its slots, and over its pairs of slots if there are
    interactions. All of these allocators assume that, and :mod:`qat.allocate.prediction` tests it.

    Attributes:
        variables: In execution order.
        costs: Of the network.
        interactions: Indices of two variables, the smaller first → their widths → what their harms
            together exceed the sum by (:mod:`qat.allocate.paired`). Empty: harms add up.

    Example:
        >>> from qat.allocate.costs import LayerFigures
        >>> variable = Variable((("fc", "weight"), ("fc", "act")), {2: 1.5, 4: 0.5})
        >>> problem = Problem((variable,), NetworkCosts((LayerFigures("fc", 8, 8, 8, 8),)))
        >>> problem.narrowest(), problem.harm(problem.narrowest())
        ({('fc', 'weight'): 2, ('fc', 'act'): 2}, 1.5)
    """

    variables: tuple[Variable, ...]
    costs: NetworkCosts
    interactions: Interactions = field(default_factory=dict)

    def bits(self, widths: Sequence[int]) -> dict[Slot, int]:
        """Slot → width, from one width for each variable."""
        pairs = zip(self.variables, widths, strict=True)
        bits = {slot: width for variable, width in pairs for slot in variable.slots}
        order = {layer.name: place for place, layer in enumerate(self.costs.layers)}
        kinds = {"weight": 0, "act": 1}
        keys = sorted(bits, key=lambda slot: (order.get(slot[0], -1), kinds[slot[1]]))
        return {slot: bits[slot] for slot in keys}

    def widths(self, bits: Bits) -> list[int]:
        """The inverse of :meth:`bits`."""
        return [bits[variable.slots[0]] for variable in self.variables]

    def harm(self, bits: Bits) -> float:
        """Predicted harm of a plan, in the unit of the metric."""
        widths = self.widths(bits)
        alone = sum(v.harms[width] for v, width in zip(self.variables, widths, strict=True))
        together = (
            own.get((widths[v], widths[w]), 0.0) for (v, w), own in self.interactions.items()
        )
        return sum(together, alone)

    def narrowest(self) -> dict[Slot, int]:
        """Every variable at its narrowest width."""
        return self.bits([variable.widths[0] for variable in self.variables])


def make_problem(
    harms: Mapping[Slot, Mapping[int, float]],
    plan: Plan,
    costs: NetworkCosts,
    *,
    widths: Iterable[int] | None = None,
    fixed: Iterable[str | Slot] = (),
    groups: Iterable[Sequence[Slot]] = (),
    default_bits: int | None = None,
) -> Problem:
    """Set up an allocation.

    Args:
        harms: Slot → width → harm, as :meth:`SensitivityTable.harms` gives.
        plan: The plan whose widths are to be chosen.
        costs: Of the network under that plan.
        widths: Candidates; all that have a score if None.
        fixed: Layers, or slots, that keep the plan's widths, see
            :func:`qat.allocate.assign.fixed_layers`.
        groups: Slots that must take the same width. If one of a group is fixed, so are the others,
            at the largest width of the fixed ones.
        default_bits: Width of a slot without a score, where others of its kind have one; None
            leaves it as planned. A kind without any score stays as planned.

    Raises:
        KeyError: If a score or ``fixed`` names a layer that the plan lacks.
        ValueError: If there is nothing to choose, a candidate has no score, or one is NaN.
    """
    check_layers((name for name, _ in harms), list(plan.layers))
    scored = {slot: dict(own) for slot, own in harms.items() if own}
    candidates = widths or sorted({width for own in scored.values() for width in own})
    options = check_widths(candidates, plan.placement)
    kinds = {slot[1] for slot in scored}
    held = set(fixed)
    named = [each if isinstance(each, str) else each[0] for each in held]
    check_layers(named, [*plan.layers, *(name for name, _ in plan.left_float)])
    variables = []
    for group in _merged([slot for slot in slots_of(plan) if slot[1] in kinds], groups):
        kept = [slot for slot in group if slot in held or slot[0] in held]
        own = [slot for slot in group if slot in scored]
        if kept:
            widest = max(spec_of(plan, slot).stored_bits for slot in kept)
            variables.append(Variable(group, {widest: 0.0}))
        elif own:
            variables.append(Variable(group, _summed(own, scored, options)))
        else:
            planned = max(spec_of(plan, slot).stored_bits for slot in group)
            variables.append(Variable(group, {default_bits or planned: 0.0}))
    if not any(len(variable.widths) > 1 for variable in variables):
        raise InputError(
            "there is nothing to choose: every layer is fixed, without a score, or has one width; "
            "give more widths, or fix fewer layers"
        )
    return Problem(tuple(variables), costs)


def _summed(
    slots: Sequence[Slot], scored: Mapping[Slot, Mapping[int, float]], options: Sequence[int]
) -> dict[int, float]:
    harms = {}
    for width in options:
        missing = [slot for slot in slots if width not in scored[slot]]
        if missing:
            layer, kind = missing[0]
            raise InputError(
                f"there is no score of {layer} ({kind}) at {width} bits: compute it, or leave that "
                "width out of the candidates"
            )
        harm = sum(scored[slot][width] for slot in slots)
        if math.isnan(harm):
            raise InputError(f"the score of {slots[0][0]} at {width} bits is NaN: compute it again")
        if harm < math.inf:
            harms[width] = harm
    if not harms:
        raise InputError(
            f"{slots[0][0]} ({slots[0][1]}) has an infinite harm at each of the widths "
            f"{', '.join(map(str, options))}: add a wider one"
        )
    return harms


def _merged(slots: Sequence[Slot], groups: Iterable[Sequence[Slot]]) -> list[tuple[Slot, ...]]:
    """Slots in their groups; groups that overlap are merged."""
    leader = {slot: slot for slot in slots}
    for group in groups:
        known = [slot for slot in group if slot in leader]
        leaders = {leader[slot] for slot in known}
        first = next((slot for slot in slots if slot in leaders), None)
        for slot in slots:
            if first is not None and leader[slot] in leaders:
                leader[slot] = first
    merged: dict[Slot, list[Slot]] = {}
    for slot in slots:
        merged.setdefault(leader[slot], []).append(slot)
    return [tuple(group) for group in merged.values()]
