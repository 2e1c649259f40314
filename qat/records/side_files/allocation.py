"""``allocation.json``: which widths were chosen, and what they were expected to cost."""

from dataclasses import dataclass
from typing import ClassVar

from qat.base.errors import InputError
from qat.records.file_names import ALLOCATION_NAME
from qat.records.side_files.plain_data import AnyFloat
from qat.records.side_files.typed_file import TypedFile


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """A limit, and how much of it the chosen widths use.

    Attributes:
        name: Of the cost, such as ``weight_bytes``.
        limit: Above 0.
        spent: In the same unit.

    Raises:
        InputError: If the limit is not above 0.
    """

    name: str
    limit: float
    spent: float

    def __post_init__(self) -> None:
        """Check the limit."""
        if self.limit <= 0:
            raise InputError(f"limit must be a number above 0, got {self.limit}")


@dataclass(frozen=True, slots=True)
class SlotWidth:
    """The width that one tensor got.

    Attributes:
        layer: Module name.
        slot: ``weight`` or ``act``.
        bits: The width.
        score: Its sensitivity; None if it was not scored, or the score is infinite.
    """

    layer: str
    slot: str
    bits: int
    score: float | None


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One plan on the way of the greedy allocator."""

    weight_bytes: float
    predicted_harm: float


@dataclass(frozen=True, slots=True)
class CorrelationInterval:
    """A correlation with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RankAgreement:
    """Rank correlations of prediction and measurement.

    Attributes:
        spearman: Rho, -1 to 1.
        kendall: Tau-b, -1 to 1.
        plans: Number of plans.
        confidence: Level of the intervals.
    """

    spearman: CorrelationInterval
    kendall: CorrelationInterval
    plans: int
    confidence: float


@dataclass(frozen=True, slots=True)
class MeasuredPlan:
    """One random plan within the budgets.

    Attributes:
        harm: Predicted.
        top1: Measured, a fraction.
        bits: Layer, slot and width of each tensor.
    """

    harm: float
    top1: float
    bits: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class PlanHarm:
    """One whole plan that the allocator measured.

    Attributes:
        harm: Measured, in the unit of the metric.
        bits: Layer, slot and width of each tensor.
    """

    harm: AnyFloat
    bits: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class AllocationRound:
    """One round of the allocator ``remeasure``; the first has the plans to begin with.

    Attributes:
        plans: Those that were measured for the first time.
        harm: Measured harm of the best plan so far.
    """

    plans: tuple[PlanHarm, ...]
    harm: AnyFloat


@dataclass(frozen=True, slots=True)
class PredictionCheck:
    """Random plans, predicted and measured.

    Attributes:
        agreement: None if there are too few plans for a correlation.
        plans: At least one.

    Raises:
        InputError: If there is no plan.
    """

    agreement: RankAgreement | None
    plans: tuple[MeasuredPlan, ...]

    def __post_init__(self) -> None:
        """Check that there is a plan."""
        if not self.plans:
            raise InputError("plans must be a list of one or more plans, got none")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationFile(TypedFile):
    """The choice of widths of a run.

    Attributes:
        allocator: Name of the method that chose, or target of the user's own.
        trained: Whether the network was trained after the choice.
        metric: Of the sensitivities.
        unit: Of the scores; empty for a plain number.
        predicted_harm: Of the chosen widths, in the unit of the metric.
        budgets: Empty if there was no limit.
        slots: The chosen widths.
        front: Of the allocator ``greedy``; None for others.
        rounds: Of the allocator ``remeasure``; None for others, and in files of version 1.
        check: None if no random plans were measured.
    """

    allocator: str
    trained: bool
    metric: str
    unit: str
    predicted_harm: float
    budgets: tuple[BudgetUse, ...]
    slots: tuple[SlotWidth, ...]
    front: tuple[FrontPoint, ...] | None = None
    rounds: tuple[AllocationRound, ...] | None = None
    check: PredictionCheck | None

    ARTIFACT: ClassVar[str] = "allocation"
    NAME: ClassVar[str] = ALLOCATION_NAME
    VERSION: ClassVar[int] = 2
    WRITES_VERSION: ClassVar[bool] = True
