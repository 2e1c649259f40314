"""The files of a run's choice of widths: ``sensitivity.json`` and ``allocation.json``."""

from dataclasses import asdict
from pathlib import Path

from qat.allocate.greedy import greedy_front
from qat.allocate.prediction import Agreement
from qat.records.side_files.allocation import (
    AllocationFile,
    AllocationRound,
    BudgetUse,
    CorrelationInterval,
    FrontPoint,
    MeasuredPlan,
    PlanHarm,
    PredictionCheck,
    RankAgreement,
    SlotWidth,
)
from qat.records.side_files.sensitivity import SensitivityFile, WidthScore
from qat.run.mixed.allocation import Allocation
from qat.run.mixed.prediction import Check
from qat.sensitivity.table import SensitivityTable
from qat.sensitivity.widths import Bits


def write_allocation(
    folder: Path, allocator: str, trained: bool, chosen: Allocation, check: Check | None
) -> dict[str, Path]:
    """Write ``sensitivity.json`` and ``allocation.json``.

    Args:
        folder: The run's folder.
        allocator: Name of the allocator, or target of the user's own.
        trained: Whether the network is trained after the choice.
        chosen: The chosen widths.
        check: The check of the prediction; None if there was none.

    Returns:
        Name of the artifact → file.
    """
    allocation = AllocationFile(
        allocator=allocator,
        trained=trained,
        metric=chosen.table.metric,
        unit=chosen.table.unit,
        predicted_harm=chosen.problem.harm(chosen.bits),
        budgets=_budgets(chosen),
        slots=tuple(
            SlotWidth(layer, slot, bits, _score(chosen, layer, slot, bits))
            for (layer, slot), bits in chosen.bits.items()
        ),
        front=_front(chosen) if allocator == "greedy" else None,
        rounds=_rounds(chosen) or None,
        check=None if check is None else _check(check),
    )
    paths = {kind.ARTIFACT: folder / kind.NAME for kind in (SensitivityFile, AllocationFile)}
    sensitivity_file(chosen.table).write(paths[SensitivityFile.ARTIFACT])
    allocation.write(paths[AllocationFile.ARTIFACT])
    return paths


def sensitivity_file(table: SensitivityTable) -> SensitivityFile:
    """The table in the form of a run's file."""
    rows = tuple(WidthScore(**asdict(row)) for row in table.rows)
    return SensitivityFile(table.metric, table.unit, table.higher_is_worse, table.digest, rows)


def _budgets(chosen: Allocation) -> tuple[BudgetUse, ...]:
    if chosen.budgets is None:
        return ()
    costs = chosen.problem.costs
    return tuple(
        BudgetUse(name, limit, costs.cost(name, chosen.bits))
        for name, limit in chosen.budgets.named().items()
    )


def _front(chosen: Allocation) -> tuple[FrontPoint, ...]:
    """All plans of the greedy allocator, by weight bytes."""
    points = greedy_front(chosen.problem, "weight_bytes")
    return tuple(FrontPoint(point.cost, point.harm) for point in points)


def _rounds(chosen: Allocation) -> tuple[AllocationRound, ...]:
    return tuple(
        AllocationRound(
            tuple(PlanHarm(harm, _plain_bits(bits)) for bits, harm in each.plans), each.harm
        )
        for each in chosen.rounds
    )


def _plain_bits(bits: Bits) -> tuple[tuple[str, str, int], ...]:
    """Layer, slot and width of each tensor."""
    return tuple((layer, slot, width) for (layer, slot), width in bits.items())


def _score(chosen: Allocation, layer: str, slot: str, bits: int) -> float | None:
    """Score of the chosen width; None if it has no finite score."""
    score = chosen.table.scores.get((layer, slot, bits))
    return None if score in (float("inf"), float("-inf")) else score


def _check(check: Check) -> PredictionCheck:
    plans = tuple(
        MeasuredPlan(plan.harm, plan.top1, _plain_bits(plan.bits)) for plan in check.plans
    )
    return PredictionCheck(None if check.agreement is None else _agreement(check.agreement), plans)


def _agreement(agreement: Agreement) -> RankAgreement:
    estimates = (agreement.spearman, agreement.kendall)
    spearman, kendall = (CorrelationInterval(**asdict(estimate)) for estimate in estimates)
    return RankAgreement(spearman, kendall, agreement.plans, agreement.confidence)
