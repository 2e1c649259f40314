"""An allocator that widens the tensor that does most harm, again and again."""

from qat.extend import Budgets, Problem, overruns, unmeetable


def worst_first(
    problem: Problem, budgets: Budgets | None, widest: int = 8
) -> dict[tuple[str, str], int]:
    """Start at the narrowest widths; widen the tensor of the largest harm while budgets allow it.

    A tensor whose next width would exceed a budget keeps its width, and the next worst follows.

    Args:
        problem: The candidate widths of each tensor, their harms and their costs.
        budgets: Limits; None for none.
        widest: No tensor gets more bits than this.

    Returns:
        ``(layer, slot)`` → width.

    Raises:
        UnmeetableBudgetError: If the narrowest widths exceed a budget.
    """
    variables = problem.variables
    widths = [variable.widths[0] for variable in variables]
    if budgets and overruns(problem.costs, problem.bits(widths), budgets):
        raise unmeetable(problem.costs, problem.bits(widths), budgets)
    open_ = set(range(len(variables)))  # tensors that may still become wider
    while open_:
        worst = max(sorted(open_), key=lambda index: variables[index].harms[widths[index]])
        wider = [w for w in variables[worst].widths if widths[worst] < w <= widest]
        tried = [*widths[:worst], *wider[:1], *widths[worst + 1 :]]
        if not wider or (budgets and overruns(problem.costs, problem.bits(tried), budgets)):
            open_.remove(worst)
        else:
            widths = tried
    return problem.bits(widths)
