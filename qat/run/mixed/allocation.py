"""From sensitivities to a plan (mode=mixed): what is free, what it may cost, who gets what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import nn

from qat.allocate.activations import activation_steps
from qat.allocate.assign import apply_bits
from qat.allocate.budget import Budgets, overruns, unmeetable
from qat.allocate.costs import NetworkCosts, network_costs
from qat.allocate.evolve import evolve
from qat.allocate.ilp import nearest
from qat.allocate.problem import Problem, make_problem
from qat.allocate.registry import allocate
from qat.base.errors import InputError
from qat.base.progress import tracked
from qat.base.target import load_target
from qat.convert.rules import make_plan
from qat.core.plan import Plan
from qat.core.scheme import TensorSpec
from qat.run.mixed.latency_table import run_latency_table
from qat.run.mixed.learned import learned_table
from qat.run.mixed.plan_accuracy import PlanAccuracy
from qat.run.mixed.sensitivity import run_sensitivity, sensitivity_batches
from qat.run.prepare import Prepared
from qat.run.signs import decided_plan
from qat.sensitivity.groups import add_ties, sharing_groups, tensors_read
from qat.sensitivity.table import SensitivityTable
from qat.sensitivity.widths import Bits, Slot, slots_of, spec_of

LEARNED = "learned"


@dataclass(frozen=True)
class Allocation:
    """The choice of widths of a run.

    Attributes:
        base: The plan that was to get other widths.
        plan: With the chosen ones.
        bits: Slot → chosen width.
        table: Sensitivities that it rests on.
        problem: What there was to choose.
        budgets: Limits; None for ``threshold`` without any.
    """

    base: Plan
    plan: Plan
    bits: dict[Slot, int]
    table: SensitivityTable
    problem: Problem
    budgets: Budgets | None


def choose_plan(prepared: Prepared, net: nn.Module, digest: str) -> Allocation:
    """Measure sensitivities, allocate, and lay the widths over the scheme's plan.

    Budgets that no plan meets are refused before anything is measured.

    Args:
        prepared: The request.
        net: The float network.
        digest: Of its checkpoint.

    Raises:
        UnmeetableBudgetError: Naming the cheapest plan and what it lacks.
        ValueError: If a table is of another network, or there is nothing to choose.
    """
    base = decided_plan(prepared, net, digest)
    costs = _costs(prepared, net, base)
    free = free_slots(prepared, net, base)
    budgets = run_budgets(prepared, costs, free)
    alike = _problem(prepared, net, base, costs, free, _no_harms(prepared, free))
    _check_meetable(alike, budgets)
    if prepared.config.allocate.name == LEARNED:
        assert budgets is not None
        table = learned_table(prepared, net, base, costs, free, budgets)
    else:
        table = run_sensitivity(prepared, net, base)
    problem = _problem(prepared, net, base, costs, free, table.harms())
    bits = _allocated(prepared, net, digest, base, problem, budgets)
    return Allocation(base, with_widths(prepared, net, base, bits), bits, table, problem, budgets)


def with_widths(prepared: Prepared, net: nn.Module, base: Plan, bits: Bits) -> Plan:
    """The plan with other widths, tensors between layers included."""
    if base.placement != "integer":
        return apply_bits(base, bits)
    ties = add_ties(net) if prepared.config.allocate.adds_alike else None
    return apply_bits(base, bits, reads=tensors_read(net), ties=ties)


def free_slots(prepared: Prepared, net: nn.Module, plan: Plan) -> list[Slot]:
    """Slots whose width the scheme itself sets, not its first/last policy nor one of its rules.

    Found by asking for the plan of other widths: what changes is free.
    """
    scheme = prepared.scheme
    assert scheme is not None
    other = replace(scheme, weight=_other(scheme.weight), act=_other(scheme.act))
    moved = make_plan(net, other, prepared.example())
    kinds = prepared.config.sensitivity.slots
    return [
        slot
        for slot in slots_of(plan)
        if slot[1] in kinds
        and slot[0] in moved.layers
        and spec_of(plan, slot).stored_bits != spec_of(moved, slot).stored_bits
    ]


def run_budgets(prepared: Prepared, costs: NetworkCosts, free: list[Slot]) -> Budgets | None:
    """The budgets of a run; where none is given those of the scheme's own widths.

    ``threshold`` can do without: there, none given is none.
    """
    settings = prepared.config.allocate
    names = ("average_weight_bits", "weight_bytes", "bops", "peak_activation_bytes", "latency_ms")
    configured = {n: getattr(settings, n) for n in names}
    limits: dict[str, float] = {n: limit for n, limit in configured.items() if limit is not None}
    if settings.uniform_bits is not None or not (limits or settings.name == "threshold"):
        width = settings.uniform_bits
        bits = {} if width is None else dict.fromkeys(free, width)
        uniform = {"weight_bytes": costs.weight_bytes(bits), "bops": costs.bops(bits)}  # type: ignore[arg-type]
        limits = {
            n: min(v, uniform.get(n, v), limits.get(n, v)) for n, v in (uniform | limits).items()
        }
    return Budgets(**limits) if limits else None


def _other(spec: TensorSpec) -> TensorSpec:
    return spec if spec.is_off else spec.but(format="int", bits=7 if spec.stored_bits == 5 else 5)


def _costs(prepared: Prepared, net: nn.Module, plan: Plan) -> NetworkCosts:
    settings, example = prepared.config.allocate, prepared.example()
    steps = []
    if settings.peak_activation_bytes is not None:
        ties = add_ties(net) if settings.adds_alike else None
        steps = activation_steps(net, plan, example, ties)
    return network_costs(net, plan, example, run_latency_table(settings), steps)


def _problem(
    prepared: Prepared,
    net: nn.Module,
    plan: Plan,
    costs: NetworkCosts,
    free: list[Slot],
    harms: Mapping[Slot, Mapping[int, float]],
) -> Problem:
    settings = prepared.config.allocate
    return make_problem(
        harms,
        plan,
        costs,
        widths=prepared.config.sensitivity.widths,
        fixed=[slot for slot in slots_of(plan) if slot not in free],
        groups=sharing_groups(net, plan, adds=settings.adds_alike),
        default_bits=settings.default_bits,
    )


def _no_harms(prepared: Prepared, free: list[Slot]) -> dict[Slot, dict[int, float]]:
    return {slot: dict.fromkeys(sorted(prepared.config.sensitivity.widths), 0.0) for slot in free}


def _check_meetable(problem: Problem, budgets: Budgets | None) -> None:
    if budgets is not None:
        cheapest = nearest(problem, budgets)
        if overruns(problem.costs, cheapest, budgets):
            raise unmeetable(problem.costs, cheapest, budgets)


def _allocated(
    prepared: Prepared,
    net: nn.Module,
    digest: str,
    base: Plan,
    problem: Problem,
    budgets: Budgets | None,
) -> dict[Slot, int]:
    settings = prepared.config.allocate
    if settings.name == "evolve":
        assert budgets is not None
        return _evolved(prepared, net, digest, base, problem, budgets)
    if settings.name == LEARNED:  # the most probable plan
        return allocate("ilp", problem, budgets)
    if settings.target is None:
        return allocate(settings.name, problem, budgets, settings.options)
    bits = dict(load_target(settings.target)(problem, budgets, **settings.options))
    if budgets is not None and (over := overruns(problem.costs, bits, budgets)):
        raise InputError(f"allocate.target={settings.target} overruns its budgets: {over}")
    return bits


def _evolved(
    prepared: Prepared,
    net: nn.Module,
    digest: str,
    base: Plan,
    problem: Problem,
    budgets: Budgets,
) -> dict[Slot, int]:
    """By what plans really do to the loss of the sensitivity images, from the plan of ilp on."""
    settings = prepared.config.sensitivity
    drawn = {"seed": settings.seed, "images": settings.images}
    images = sensitivity_batches(prepared)
    measured = PlanAccuracy(prepared, net, digest, "train", images, drawn)
    return evolve(
        problem,
        budgets,
        lambda bits: measured(with_widths(prepared, net, base, bits))["loss"],
        start=[allocate("ilp", problem, budgets)],
        track=lambda items: tracked("search", items),
        **prepared.config.allocate.options,
    ).bits
