"""What there is to choose in mode mixed: free widths, what they cost, and the budgets."""

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
from qat.run.signs import decided_plan
from qat.sensitivity.groups import add_ties, sharing_groups, tensors_read
from qat.sensitivity.widths import Bits, Slot, slots_of, spec_of


@dataclass(frozen=True)
class Candidates:
    """The widths that are free, and what they cost.

    Attributes:
        request: How widths are chosen.
        source: The float network.
        base: The plan of the scheme, whose widths are replaced.
        costs: Of any widths.
        free: Slots whose width is chosen.
        budgets: Limits; None for ``threshold`` without any.
    """

    request: MixedRequest
    source: FloatNetwork
    base: Plan
    costs: NetworkCosts
    free: list[Slot]
    budgets: Budgets | None

    def problem(self, harms: Mapping[Slot, Mapping[int, float]]) -> Problem:
        """What an allocator is given, with the harm of each width in each slot."""
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
        """The plan with other widths, tensors between layers included."""
        if self.base.placement != "integer":
            return apply_bits(self.base, bits)
        net = self.source.net
        ties = add_ties(net) if self.request.allocate.adds_alike else None
        return apply_bits(self.base, bits, reads=tensors_read(net), ties=ties)


def candidates(request: MixedRequest, source: FloatNetwork) -> Candidates:
    """What there is to choose; budgets that no plan meets are refused here.

    Args:
        request: How widths are chosen.
        source: The float network.

    Raises:
        UnmeetableBudgetError: Naming the cheapest plan and what it lacks.
        ValueError: If a table of latencies cannot be read, or there is nothing to choose.
    """
    base = decided_plan(request.calibration, request.scheme, source)
    costs = _costs(request, source, base)
    free = free_slots(request, source, base)
    choice = Candidates(
        request, source, base, costs, free, run_budgets(request.allocate, costs, free)
    )
    _check_meetable(choice)
    return choice


def free_slots(request: MixedRequest, source: FloatNetwork, plan: Plan) -> list[Slot]:
    """Slots whose width the scheme itself sets, not its first/last policy nor one of its rules.

    Found by a comparison with the plan of other widths: what changes is free.

    Args:
        request: How widths are chosen.
        source: The float network.
        plan: Of the scheme.
    """
    scheme = request.scheme
    other = replace(scheme, weight=_other(scheme.weight), act=_other(scheme.act))
    moved = make_plan(source.net, other, request.calibration.images.example())
    return [
        slot
        for slot in slots_of(plan)
        if slot[1] in request.sensitivity.slots
        and slot[0] in moved.layers
        and spec_of(plan, slot).stored_bits != spec_of(moved, slot).stored_bits
    ]


def run_budgets(settings: AllocateConfig, costs: NetworkCosts, free: list[Slot]) -> Budgets | None:
    """The budgets of a run; if the user sets none, those of the scheme's own widths.

    ``threshold`` needs no budget: it has none if the user sets none.

    Args:
        settings: The group ``allocate``.
        costs: Of any widths.
        free: Slots whose width is chosen.
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
