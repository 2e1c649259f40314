"""Improve a plan by changes of one or two widths, with the interactions of pairs.

With columns c = (variable, width), harms h[c] and interactions e[c, d], the plan selects one column
s(v) of each variable. A change of variable v to column c alters the harm by

    delta[c] = h[c] - h[s(v)] + sum over w != v of (e[c, s(w)] - e[s(v), s(w)])

and two changes, to c of v and to d of w, by

    delta[c] + delta[d] + e[c, d] - e[c, s(w)] - e[s(v), d] + e[s(v), s(w)]
"""

from collections.abc import Iterator

import numpy as np

from qat.allocate.budget import Budgets, overruns
from qat.allocate.problem import Problem
from qat.sensitivity.widths import Slot

_LEAST_GAIN = 1e-9
"""As a share of the largest coefficient: smaller gains are rounding."""


def improved(problem: Problem, bits: dict[Slot, int], budgets: Budgets) -> dict[Slot, int]:
    """The plan after changes within the budgets, the best first, while the harm falls.

    Args:
        problem: The widths to choose.
        bits: A plan within the budgets.
        budgets: Limits.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> from qat.allocate.problem import Variable
        >>> costs = NetworkCosts(tuple(LayerFigures(name, 8, 8, 8, 8) for name in "ab"))
        >>> harmless = Variable((("a", "weight"),), {2: 0.1, 8: 0.0})
        >>> harmful = Variable((("b", "weight"),), {2: 5.0, 8: 0.0})
        >>> plan = {("a", "weight"): 8, ("b", "weight"): 2}
        >>> improved(Problem((harmless, harmful), costs), plan, Budgets(average_weight_bits=5))
        {('a', 'weight'): 2, ('b', 'weight'): 8}
    """
    columns = [(v, width) for v, own in enumerate(problem.variables) for width in own.widths]
    harms, terms = _coefficients(problem, columns)
    least = _LEAST_GAIN * max(np.abs(harms).max(), np.abs(terms).max())
    widths = problem.widths(bits)
    while True:
        for move in _moves(columns, harms, terms, widths, least):
            changed = list(widths)
            for c in move:
                changed[columns[c][0]] = columns[c][1]
            if not overruns(problem.costs, problem.bits(changed), budgets):
                widths = changed
                break
        else:
            return problem.bits(widths)


def _coefficients(
    problem: Problem, columns: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    place = {column: index for index, column in enumerate(columns)}
    harms = np.array([problem.variables[v].harms[width] for v, width in columns])
    terms = np.zeros((len(columns), len(columns)))
    for (v, w), own in problem.interactions.items():
        for (a, b), value in own.items():
            terms[place[v, a], place[w, b]] = terms[place[w, b], place[v, a]] = value
    return harms, terms


def _moves(
    columns: list[tuple[int, int]],
    harms: np.ndarray,
    terms: np.ndarray,
    widths: list[int],
    least: float,
) -> Iterator[tuple[int, ...]]:
    """Columns to change to, one or two of them; the largest fall of the harm first."""
    owner = np.array([v for v, _ in columns])
    place = {column: index for index, column in enumerate(columns)}
    now = np.array([place[v, width] for v, width in enumerate(widths)])[owner]
    field = harms + terms[:, np.unique(now)].sum(axis=1)
    single = field - field[now]
    double = single[:, None] + single[None, :]
    double += terms - terms[:, now] - terms[now, :] + terms[np.ix_(now, now)]
    double[owner[:, None] >= owner[None, :]] = 0
    np.fill_diagonal(double, single)
    rows, others = np.nonzero(double < -least)
    for index in np.argsort(double[rows, others], kind="stable"):
        c, d = int(rows[index]), int(others[index])
        yield (c,) if c == d else (c, d)
