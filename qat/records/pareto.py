"""The Pareto front: the points that no other point dominates."""

from collections.abc import Sequence

from qat.base.errors import InputError


def non_dominated(points: Sequence[Sequence[float]], maximize: Sequence[bool]) -> list[int]:
    """Indices of the points that no other point dominates, in the order of the points.

    A point dominates another if it is not worse in any objective and better in one. Equal points
    do not dominate each other.

    Args:
        points: Each with one value for each objective.
        maximize: For each objective, whether more is better.

    Raises:
        InputError: If a point has not one value for each objective.

    Example:
        >>> non_dominated([(0.9, 10), (0.8, 20), (0.95, 30)], maximize=[True, False])
        [0, 2]
    """
    signs = [1 if more else -1 for more in maximize]
    for point in points:
        if len(point) != len(signs):
            raise InputError(f"a point must have {len(signs)} values, got {tuple(point)}")
    turned = [[s * v for s, v in zip(signs, point, strict=True)] for point in points]
    return [
        index
        for index, point in enumerate(turned)
        if not any(_dominates(other, point) for other in turned)
    ]


def _dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    no_worse = all(x >= y for x, y in zip(a, b, strict=True))
    return no_worse and any(x > y for x, y in zip(a, b, strict=True))
