"""What every observer must guarantee, as a check of a class of one's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.base.plurals import counted
from qat.base.requirements import RequirementReport, check_requirements
from qat.base.target import load_target
from qat.core.grid import IntGrid
from qat.observers.base import Observer

_GRID = IntGrid(4, signed=True)
_NOT_FINITE = (torch.nan, torch.inf, -torch.inf)


@dataclass(frozen=True)
class ObserverCase:
    """An observer with a number of slices.

    Attributes:
        create: Creates a new one, from the number of slices.
        slices: Number of scales.
    """

    create: Callable[[int], Observer]
    slices: int

    def after(self, *batches: Tensor) -> Observer:
        """A new observer that has observed these batches."""
        observer = self.create(len(batches[0]) if batches else self.slices)
        for batch in batches:
            observer.observe(batch)
        return observer

    def rows(self, seed: int = 0, count: int = 500) -> Tensor:
        """Values ``(slices, count)``; each slice is ten times as wide as the one before.

        Args:
            seed: Of the values.
            count: Number of values of a slice.
        """
        x = torch.randn(self.slices, count, generator=torch.Generator().manual_seed(seed))
        return x * 10.0 ** torch.arange(self.slices)[:, None]

    def __str__(self) -> str:
        return counted(self.slices, "slice")


def check_observer(
    observer: type[Observer] | str, options: Mapping[str, Any] | None = None
) -> RequirementReport:
    """Check what every observer must guarantee, for a class of your own.

    Args:
        observer: The class, or ``package.module:Class``.
        options: Further arguments of the class.

    Returns:
        The requirements that it meets; ``print`` shows them.

    Raises:
        RequirementError: If it does not meet one; the message says which.
        InputError: If it is not a subclass of ``qat.extend.Observer``.

    Example:
        >>> import qat
        >>> qat.check_observer(qat.extend.MinMaxObserver).cases
        ('3 slices', '1 slice')
    """
    chosen = load_target(observer) if isinstance(observer, str) else observer
    if not (isinstance(chosen, type) and issubclass(chosen, Observer)):
        raise InputError(f"{observer!r} is not a subclass of qat.extend.Observer")

    def create(slices: int) -> Observer:
        return chosen(slices, **(options or {}))

    create(1)  # an option that the class refuses is no case
    cases = [ObserverCase(create, slices) for slices in (3, 1)]
    return check_requirements(chosen.__name__, cases, REQUIREMENTS, {})


def _range(observer: Observer) -> Tensor:
    """Lower and upper end of each slice, ``(2, slices)``."""
    return torch.stack(observer.range(_GRID, symmetric=False))


def _starts_again(case: ObserverCase) -> bool:
    observer = case.after(case.rows())
    was_seen = observer.seen
    observer.reset()
    return was_seen and not observer.seen and not case.after().seen


def _forgets(case: ObserverCase) -> bool:
    observer = case.after(100 * case.rows())
    observer.reset()
    observer.observe(case.rows(1))
    return torch.equal(_range(observer), _range(case.after(case.rows(1))))


def _gives_ranges(case: ObserverCase) -> bool:
    low, high = case.after(case.rows(), case.rows(1)).range(_GRID, symmetric=True)
    return low.shape == high.shape == (case.slices,) and bool((low <= high).all())


def _separates(case: ObserverCase) -> bool:
    together, rows = _range(case.after(case.rows())), case.rows()
    each = [_range(case.after(row[None])) for row in rows]
    return torch.allclose(together, torch.cat(each, dim=1))


def _refuses(case: ObserverCase) -> bool:
    for bad in _NOT_FINITE:
        x = case.rows(1)
        x[-1, 7] = bad
        try:
            case.after(case.rows(), x)
        except ValueError:
            continue
        return False
    return True


def _survives_constants(case: ObserverCase) -> bool:
    batches = (torch.full((case.slices, 20_000), value) for value in (0.0, 3.0, -2.0))
    return all(bool(_range(case.after(batch)).isfinite().all()) for batch in batches)


def _ignores_empty(case: ObserverCase) -> bool:
    empty = torch.empty(case.slices, 0)
    if case.after(empty).seen:
        return False
    return torch.equal(_range(case.after(case.rows(), empty)), _range(case.after(case.rows())))


def _keeps_no_graph(case: ObserverCase) -> bool:
    return not _range(case.after(case.rows().requires_grad_())).requires_grad


REQUIREMENTS: Mapping[str, Callable[[ObserverCase], bool]] = {
    "be unseen at first and after a reset": _starts_again,
    "remember nothing after a reset": _forgets,
    "return one range for each slice, the lower end first": _gives_ranges,
    "treat each slice by itself": _separates,
    "refuse NaN and infinity": _refuses,
    "return a finite range of constant values": _survives_constants,
    "ignore an empty batch": _ignores_empty,
    "keep no graph of gradients": _keeps_no_graph,
}
