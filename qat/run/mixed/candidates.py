"""The choice in mode mixed: which widths are free, what they cost, and the budgets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from qat.allocate.activations import activation_steps
from qat.allocate.assign import apply_bits
from qat.allocate.budget import Budgets, overruns, unmeetable
from qat.allocate.costs import NetworkCosts, network_costs
from qat.allocate.ilp import nearest
from qat.allocate.problem import Problem, make_problem
from qat.config.checks.mixed import BUDGETS
from qat.config.schema import AllocateConfig
from qat.convert.rules import make_plan
from qat.core.plan import Plan
from qat.core.scheme import TensorSpec
from qat.run.float_network import FloatNetwork
from qat.run.mixed.latency_table import run_latency_table
from qat.run.mixed.request import MixedRequest
from qat.run.signs import plan_with_signs
from qat.sensitivity.groups import add_ties, sharing_groups, tensors_read
from qat.sensitivity.widths import Bits, Slot, slots_of, spec_of


@dataclass(frozen=True)
class Candidates:
    """The widths that are free, and what they cost.

    Attributes:
        request: How widths are chosen.
        source: The float network.
        base: The plan of the scheme, whose widths are replaced.
        costs: Computes the cost of any widths.
        free: Slots whose width is chosen.
        budgets: Limits; None for the allocator ``threshold`` without any limit.
    """

    request: MixedRequest
    source: FloatNetwork
    base: Plan
    costs: NetworkCosts
    free: list[Slot]
    budgets: Budgets | None

    def problem(self, harms: Mapping[Slot, Mapping[int, float]]) -> Problem:
        """The problem that an allocator solves.

        Args:
            harms: Slot → width → predicted harm.
        """
        settings = self.request.allocate
        return make_problem(
            harms,
            self.base,
            self.costs,
            widths=self.request.sensitivity.widths,
            fixed=[slot for slot in slots_of(self.base) if slot not in self.free],
            groups=sharing_groups(self.source.net, self.base, adds=settings.adds_alike),
            default_bits=settings.default_bits,
        )

    def with_widths(self, bits: Bits) -> Plan:
        """The plan with other widths, including those of the tensors between layers."""
        if self.base.placement != "integer":
            return apply_bits(self.base, bits)
        net = self.source.net
        ties = add_ties(net) if self.request.allocate.adds_alike else None
        return apply_bits(self.base, bits, reads=tensors_read(net), ties=ties)


def candidates(request: MixedRequest, source: FloatNetwork) -> Candidates:
    """Find the free widths and their costs; refuse budgets that no plan meets.

    Args:
        request: How widths are chosen.
        source: The float network.

    Raises:
        UnmeetableBudgetError: If no plan meets the budgets; it names the cheapest plan.
        ValueError: If a table of latencies cannot be read, or no width is free.
    """
    return candidates_of(
        request, source, plan_with_signs(request.calibration, request.scheme, source)
    )


def candidates_of(request: MixedRequest, source: FloatNetwork, base: Plan) -> Candidates:
    """As :func:`candidates`, with a plan that is made already.

    Args:
        request: How widths are chosen.
        source: The float network; its weights have no effect.
        base: The plan of the scheme, whose widths are replaced.

    Raises:
        UnmeetableBudgetError: As :func:`candidates`.
        ValueError: Likewise.
    """
    costs = _costs(request, source, base)
    free = free_slots(request, source, base)
    choice = Candidates(
        request, source, base, costs, free, run_budgets(request.allocate, costs, free)
    )
    _check_meetable(choice)
    return choice


def free_slots(request: MixedRequest, source: FloatNetwork, plan: Plan) -> list[Slot]:
    """Slots whose width the scheme sets directly, not by its first/last policy or a rule.

    A second plan is made from the same scheme with other widths: the slots that change are free.

    Args:
        request: How widths are chosen.
        source: The float network.
        plan: The scheme's plan.
    """
    scheme = request.scheme
    other = replace(scheme, weight=_other(scheme.weight), act=_other(scheme.act))
    other_plan = make_plan(source.net, other, request.calibration.images.example())
    return [
        slot
        for slot in slots_of(plan)
        if slot[1] in request.sensitivity.slots
        and slot[0] in other_plan.layers
        and spec_of(plan, slot).stored_bits != spec_of(other_plan, slot).stored_bits
    ]


def run_budgets(settings: AllocateConfig, costs: NetworkCosts, free: list[Slot]) -> Budgets | None:
    """The budgets of a run; if the user sets none, the costs of the scheme's own widths.

    The allocator ``threshold`` has no budget if the user sets none.

    Args:
        settings: The configuration group ``allocate``.
        costs: Computes the cost of any widths.
        free: Slots whose width is chosen.

    Returns:
        The limits; None without any limit.
    """
    configured = {name: getattr(settings, name) for name in BUDGETS}
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


def _costs(request: MixedRequest, source: FloatNetwork, plan: Plan) -> NetworkCosts:
    settings, example = request.allocate, request.calibration.images.example()
    steps = []
    if settings.peak_activation_bytes is not None:
        ties = add_ties(source.net) if settings.adds_alike else None
        steps = activation_steps(source.net, plan, example, ties)
    return network_costs(source.net, plan, example, run_latency_table(settings), steps)


def _check_meetable(choice: Candidates) -> None:
    widths = sorted(choice.request.sensitivity.widths)
    problem = choice.problem({slot: dict.fromkeys(widths, 0.0) for slot in choice.free})
    if choice.budgets is not None:
        cheapest = nearest(problem, choice.budgets)
        if overruns(problem.costs, cheapest, choice.budgets):
            raise unmeetable(problem.costs, cheapest, choice.budgets)
