"""The plan of least predicted harm under budgets, exactly.

An integer linear programme (ILP) as in Yao et al., "HAWQ-V3", ICML 2021, arXiv:2011.10680. HiGHS
(scipy) solves it. With x[v, b] = 1 where variable v takes b bits:

    minimise    sum harm[v, b] x[v, b]
    such that   sum_b x[v, b] = 1                          one width each
                sum cost[v, b] x[v, b] <= budget           for each budget

Bit operations (BOPs) and latency depend on weight and activation bits together. Where both are
free, y[w, a] with sum_a y[w, a] = x[w] and sum_w y[w, a] = x[a] is their product: since each x is 0
or 1, so is y. (y is declared integer nevertheless: HiGHS is then several times faster.) For peak
activation bytes there is one row for each step of the network.

If the problem has interactions, such products enter the objective, as continuous columns: see
:mod:`qat.allocate.clado`.

Cites: yao2021hawqv3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from qat.allocate.budget import Budgets, overruns, unmeetable
from qat.allocate.costs import weight_bytes
from qat.allocate.problem import Problem
from qat.allocate.spare_budget import spend_leftover
from qat.base.c_output import silent_c_output
from qat.sensitivity.widths import Slot

Coefficients = dict[int, float]
_OPTIMAL, _STOPPED, _INFEASIBLE = 0, 1, 2  # what scipy calls status
_LARGEST_HARM = 1e4  # the solver's own gap, 1e-6, is then far below any difference that matters


def solve_ilp(problem: Problem, budgets: Budgets) -> dict[Slot, int]:
    """Slot → width of least harm within the budgets; of plans of equal harm, a wide one.

    Args:
        problem: The widths to choose.
        budgets: Limits.

    Raises:
        UnmeetableBudgetError: If there is no such plan; the error has the nearest one.
        ValueError: If the figures for a budget are missing.
        RuntimeError: If the solver stops for another reason.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> from qat.allocate.problem import Variable
        >>> costs = NetworkCosts(tuple(LayerFigures(name, 8, 8, 8, 8) for name in "ab"))
        >>> harmless = Variable((("a", "weight"),), {2: 0.1, 8: 0.0})
        >>> harmful = Variable((("b", "weight"),), {2: 5.0, 8: 0.0})
        >>> solve_ilp(Problem((harmless, harmful), costs), Budgets(average_weight_bits=5))
        {('a', 'weight'): 2, ('b', 'weight'): 8}
    """
    bits = least_harm(problem, budgets).bits
    assert bits is not None
    return spend_leftover(problem, bits, budgets)


@dataclass(frozen=True)
class Solution:
    """What the solver found.

    Attributes:
        bits: A plan within the budgets; None if the time was too short for one.
        proven: Whether no plan has less harm.
    """

    bits: dict[Slot, int] | None
    proven: bool


def least_harm(
    problem: Problem,
    budgets: Budgets,
    *,
    seconds: float | None = None,
    near: Mapping[Slot, int] | None = None,
    changes: int = 0,
) -> Solution:
    """The plan of least harm, by the solver alone.

    Args:
        problem: The widths to choose.
        budgets: Limits.
        seconds: How long the solver may take; None is no limit.
        near: A plan from which at most ``changes`` variables may differ; None is no such limit.
        changes: How many.

    Raises:
        UnmeetableBudgetError: If there is no such plan; the error has the nearest one.
        ValueError: If the figures for a budget are missing.
        RuntimeError: If the solver stops for another reason.
    """
    model = _Model(problem, budgets)
    if near is not None:
        model.stay_near(problem.widths(near), changes)
    while True:
        widths = model.solve(seconds)
        if widths is None:
            if not model.proven:
                return Solution(None, proven=False)
            raise unmeetable(problem.costs, nearest(problem, budgets), budgets)
        bits = problem.bits(widths)
        if not overruns(problem.costs, bits, budgets):
            return Solution(bits, model.proven)
        model.forbid(widths)  # the plan misses a budget by less than the solver's tolerance


def nearest(problem: Problem, budgets: Budgets) -> dict[Slot, int]:
    """The plan whose largest overrun, as a share of its budget, is least.

    Args:
        problem: The widths to choose.
        budgets: Limits.

    Raises:
        ValueError: If the figures for a budget are missing.
        RuntimeError: If the solver stops without a solution.
    """
    widths = _Model(problem, budgets, elastic=True).solve()
    assert widths is not None
    solved, narrow = problem.bits(widths), problem.narrowest()
    worst = [max(overruns(problem.costs, b, budgets).values(), default=0) for b in (solved, narrow)]
    return narrow if worst[1] <= worst[0] else solved


@dataclass
class _Model:
    """Columns, objective and rows.

    With ``elastic``, the objective is the largest overrun of a budget instead of the harm.
    """

    problem: Problem
    budgets: Budgets
    elastic: bool = False
    objective: list[float] = field(default_factory=list)
    # lower <= row <= upper
    rows: list[tuple[Coefficients, float, float]] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    proven: bool = False

    def __post_init__(self) -> None:
        self.column: dict[tuple[int, int], int] = {}
        self.owner = {s: v for v, own in enumerate(self.problem.variables) for s in own.slots}
        self.pairs: dict[tuple[int, int], dict[tuple[int, int], int]] = {}
        harms = [h for own in self.problem.variables for h in own.harms.values()]
        harms += [h for own in self.problem.interactions.values() for h in own.values()]
        scale = _LARGEST_HARM / (max(map(abs, harms)) or 1.0)
        for v, own in enumerate(self.problem.variables):
            for width, harm in own.harms.items():
                harm = 0.0 if self.elastic else harm * scale
                self.column[v, width] = self._add_column(harm, whole=True)
            self.rows.append(({self.column[v, w]: 1.0 for w in own.widths}, 1, 1))
        if not self.elastic:
            self._add_interactions(scale)
        slack = self._add_column(1.0, whole=False) if self.elastic else None
        for name, limit in self.budgets.named().items():
            for row, constant in getattr(self, f"_{name}")():
                scaled = {column: cost / limit for column, cost in row.items()}
                if slack is not None:
                    scaled[slack] = -1.0
                self.rows.append((scaled, -np.inf, 1 - constant / limit))

    def solve(self, seconds: float | None = None) -> list[int] | None:
        """Width of each variable; None if no plan fits, or none was found in time."""
        rows, columns = len(self.rows), len(self.objective)
        places = [(r, c, v) for r, (row, _, _) in enumerate(self.rows) for c, v in row.items()]
        across, down, values = zip(*places, strict=True)
        matrix = csr_array((values, (across, down)), shape=(rows, columns))
        limits = ([low for _, low, _ in self.rows], [high for _, _, high in self.rows])
        upper = np.where(self.whole, 1, np.inf)
        options = {"mip_rel_gap": 0} | ({} if seconds is None else {"time_limit": seconds})
        with silent_c_output():
            result = milp(
                np.array(self.objective),
                integrality=np.array(self.whole),
                bounds=Bounds(0, upper),
                constraints=LinearConstraint(matrix, *limits),
                options=options,
            )
        self.proven = result.status in (_OPTIMAL, _INFEASIBLE)
        if result.x is None:
            late = result.status == _STOPPED and seconds is not None
            if not late and result.status != _INFEASIBLE:
                raise RuntimeError(f"the ILP solver stopped: {result.message}")
            return None
        return [
            max(own.widths, key=lambda width, v=v: result.x[self.column[v, width]])  # type: ignore[misc]
            for v, own in enumerate(self.problem.variables)
        ]

    def stay_near(self, widths: list[int], changes: int) -> None:
        """Allow at most so many variables to differ from a plan.

        Args:
            widths: Of the plan.
            changes: How many may differ.
        """
        row = {self.column[v, width]: 1.0 for v, width in enumerate(widths)}
        self.rows.append((row, len(widths) - changes, np.inf))

    def forbid(self, widths: list[int]) -> None:
        """Exclude one plan."""
        row = {self.column[v, width]: 1.0 for v, width in enumerate(widths)}
        self.rows.append((row, -np.inf, len(widths) - 1))

    def _add_column(self, harm: float, *, whole: bool) -> int:
        self.objective.append(harm)
        self.whole.append(int(whole))
        return len(self.objective) - 1

    def _weight_bytes(self) -> list[tuple[Coefficients, float]]:
        return [self._by_weight(lambda weights, bits: weight_bytes(weights, bits))]

    def _average_weight_bits(self) -> list[tuple[Coefficients, float]]:
        total = sum(layer.weights for layer in self.problem.costs.layers)
        return [self._by_weight(lambda weights, bits: weights * bits / total)]

    def _bops(self) -> list[tuple[Coefficients, float]]:
        macs = {layer.name: layer.macs for layer in self.problem.costs.layers}
        return [self._by_pair(list(macs), lambda name, w, a: macs[name] * w * a)]

    def _latency_ms(self) -> list[tuple[Coefficients, float]]:
        costs = self.problem.costs
        return [self._by_pair(costs.timed(), costs.layer_ms)]

    def _peak_activation_bytes(self) -> list[tuple[Coefficients, float]]:
        self.problem.costs.peak_activation_bytes({})  # refuses a problem without steps
        rows = []
        for step in self.problem.costs.steps:
            row: Coefficients = {}
            constant = step.fixed_bits / 8
            for name, elements in step.elements.items():
                constant += self._spend(row, (name, "act"), lambda bits, n=elements: n * bits / 8)  # type: ignore[misc]
            rows.append((row, constant))
        return rows

    def _by_weight(self, cost: Callable[[int, int], float]) -> tuple[Coefficients, float]:
        row: Coefficients = {}
        constant = 0.0
        for layer in self.problem.costs.layers:
            own = (layer.name, "weight")
            constant += self._spend(row, own, lambda bits, n=layer.weights: cost(n, bits))  # type: ignore[misc]
        return row, constant

    def _spend(self, row: Coefficients, slot: Slot, cost: Callable[[int], float]) -> float:
        """Add a slot's cost to a row; the cost of a slot that is not chosen is returned."""
        v = self.owner.get(slot)
        if v is None:
            return cost(self.problem.costs.width(slot, {}))
        for width in self.problem.variables[v].widths:
            column = self.column[v, width]
            row[column] = row.get(column, 0.0) + cost(width)
        return 0.0

    def _by_pair(
        self, names: list[str], cost: Callable[[str, int, int], float]
    ) -> tuple[Coefficients, float]:
        row: Coefficients = {}
        constant = 0.0
        for name in names:
            weight, act = (name, "weight"), (name, "act")
            first, second = self.owner.get(weight), self.owner.get(act)
            if second is None or first == second:
                planned = self.problem.costs.width(act, {})
                constant += self._spend(
                    row,
                    weight,
                    lambda w, n=name, s=second, a=planned: cost(n, w, a if s is None else w),  # type: ignore[misc]
                )
            elif first is None:
                planned = self.problem.costs.width(weight, {})
                constant += self._spend(row, act, lambda a, n=name, w=planned: cost(n, w, a))  # type: ignore[misc]
            else:
                for (w, a), column in self._product(first, second).items():
                    row[column] = row.get(column, 0.0) + cost(name, w, a)
        return row, constant

    def _add_interactions(self, scale: float) -> None:
        for (first, second), own in self.problem.interactions.items():
            product = self._product(first, second, whole=False)
            for pair, harm in own.items():
                self.objective[product[pair]] += harm * scale

    def _product(
        self, first: int, second: int, *, whole: bool = True
    ) -> dict[tuple[int, int], int]:
        """Columns that are 1 where two variables take a pair of widths."""
        if (second, first) in self.pairs:
            turned = self.pairs[second, first]
            return {(a, b): column for (b, a), column in turned.items()}
        if (first, second) in self.pairs:
            return self.pairs[first, second]
        one, two = (self.problem.variables[v].widths for v in (first, second))
        product = {(w, a): self._add_column(0.0, whole=whole) for w in one for a in two}
        for w in one:
            row = {product[w, a]: 1.0 for a in two}
            self.rows.append((row | {self.column[first, w]: -1.0}, 0, 0))
        for a in two:
            row = {product[w, a]: 1.0 for w in one}
            self.rows.append((row | {self.column[second, a]: -1.0}, 0, 0))
        self.pairs[first, second] = product
        return product
