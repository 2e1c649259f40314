"""The chosen widths of a run in mode mixed: from sensitivities to a plan."""

from dataclasses import dataclass
from typing import Any

from qat.allocate.budget import Budgets, overruns
from qat.allocate.paired import paired
from qat.allocate.problem import Problem
from qat.allocate.registry import MEASURING, PROJECTIONS, allocate
from qat.allocate.remeasure import RemeasuredRound
from qat.base.errors import InputError
from qat.base.progress import tracked
from qat.base.target import load_target
from qat.core.plan import Plan
from qat.run.float_network import FloatNetwork
from qat.run.mixed.candidates import Candidates, candidates
from qat.run.mixed.pairs import PAIR_OPTIONS, run_pairs
from qat.run.mixed.plan_accuracy import PlanAccuracy
from qat.run.mixed.plan_meter import PlanMeter, uniform_plans
from qat.run.mixed.request import MixedRequest
from qat.run.mixed.sensitivity import run_sensitivity
from qat.sensitivity.table import SensitivityTable
from qat.sensitivity.widths import Slot


@dataclass(frozen=True)
class Allocation:
    """The choice of widths of a run.

    Attributes:
        choice: The free widths, their costs, and the budgets.
        plan: The plan with the chosen widths.
        bits: Slot → chosen width.
        table: The sensitivities that the choice depends on.
        problem: The problem that the allocator solved.
        rounds: What the rounds of the allocator ``remeasure`` measured; empty for others.
    """

    choice: Candidates
    plan: Plan
    bits: dict[Slot, int]
    table: SensitivityTable
    problem: Problem
    rounds: tuple[RemeasuredRound, ...] = ()

    @property
    def budgets(self) -> Budgets | None:
        """Limits; None for the allocator ``threshold`` without any limit."""
        return self.choice.budgets


def choose_plan(request: MixedRequest, source: FloatNetwork) -> Allocation:
    """Measure sensitivities, allocate, and replace the widths of the scheme's plan.

    Args:
        request: How widths are chosen.
        source: The float network.

    Raises:
        UnmeetableBudgetError: Before any measurement, if no plan meets the budgets; it names the
            cheapest plan.
        ValueError: If a table belongs to another network, or no width is free.
    """
    choice = candidates(request, source)
    table = _table(choice)
    problem = _problem(choice, table)
    rounds: list[RemeasuredRound] = []
    bits = _choose_bits(choice, problem, table, rounds)
    plan = choice.with_widths(bits)
    return Allocation(choice, plan, bits, table, problem, tuple(rounds))


def _table(choice: Candidates) -> SensitivityTable:
    """The table of the sensitivity metric, or that of a training (``allocate=learned``)."""
    if choice.request.allocate.name == "learned":
        from qat.run.mixed.learned import learned_table  # imports lightning

        return learned_table(choice)
    return run_sensitivity(choice.request, choice.source, choice.base)


def _problem(choice: Candidates, table: SensitivityTable) -> Problem:
    """Harms that add up; for ``allocate=clado``, with a term for each pair of tensors."""
    problem, options = choice.problem(table.harms()), choice.request.allocate.options
    if choice.request.allocate.name != "clado":
        return problem
    pairs = run_pairs(choice, table)
    return paired(problem, pairs.interactions(table), psd=options.get("psd", PROJECTIONS[0]))


def _choose_bits(
    choice: Candidates,
    problem: Problem,
    table: SensitivityTable,
    rounds: list[RemeasuredRound],
) -> dict[Slot, int]:
    settings, budgets = choice.request.allocate, choice.budgets
    if settings.target is None:
        options = _options(choice, problem, table, rounds)
        return allocate(settings.name, problem, budgets, options)
    bits = dict(load_target(settings.target)(problem, budgets, **settings.options))
    if budgets is not None and (over := overruns(problem.costs, bits, budgets)):
        raise InputError(f"allocate.target={settings.target} overruns its budgets: {over}")
    return bits


def _options(
    choice: Candidates,
    problem: Problem,
    table: SensitivityTable,
    rounds: list[RemeasuredRound],
) -> dict[str, Any]:
    """Options of the allocator; if it measures plans, also how, and which it starts from."""
    options = dict(choice.request.allocate.options)
    name = choice.request.allocate.name
    if name == "clado":
        options = {key: value for key, value in options.items() if key not in PAIR_OPTIONS}
        if (images := options.pop("check", None)) is not None:
            options["evaluate"] = PlanMeter(choice, problem, table, images).harm
            options["start"] = uniform_plans(choice, problem)
    if name in MEASURING:
        options["track"] = lambda items: tracked("search", items)
    if name == "evolve":
        options["evaluate"] = _loss_of(choice)
        options["start"] = [allocate("ilp", problem, choice.budgets)]
    if name == "remeasure":
        meter = PlanMeter(choice, problem, table)
        options |= {"evaluate": meter.harm, "around": meter.harms_around}
        options["start"] = uniform_plans(choice, problem)
        options["report"] = rounds.append
    return options


def _loss_of(choice: Candidates) -> Any:
    """A function from widths to the quantized network's loss on the sensitivity images."""
    request, settings = choice.request, choice.request.sensitivity
    images = {"seed": settings.seed, "images": settings.images}
    accuracy = PlanAccuracy(
        request.calibration, choice.source, "train", request.sensitivity_images, images
    )
    return lambda bits: accuracy(choice.with_widths(bits))["loss"]
