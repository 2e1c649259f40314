"""Count, mean and spread of all observed values of each slice, in float64.

The moments of a batch are added to the earlier ones by the formula of Chan, Golub and LeVeque 1983
("Algorithms for computing the sample variance", The American Statistician 37):

    mean = mean_a + d n_b / n,   M2 = M2_a + M2_b + d^2 n_a n_b / n,   d = mean_b - mean_a

``M2`` is the sum of squared distances from the mean. Within a batch, sums are of distances from the
middle of the batch's extremes, so that a large mean does not hide a small spread.

Cites: chan1983variance.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.checks import is_immediate
from qat.core.processes import number_in_all, total
from qat.observers.pieces import pieces

_SUMS = ("mean", "m2", "abs_total", "nonzero")


class Moments:
    """Moments of the values of each slice.

    Args:
        slices: Number of scales.

    Attributes:
        count: Number of values in each slice.
        mean: ``(slices,)``.
        m2: ``(slices,)``, sum of squared distances from the mean.
        abs_total: ``(slices,)``, sum of magnitudes.
        nonzero: ``(slices,)``, number of values other than 0.

    Example:
        >>> moments = Moments(slices=1)
        >>> x = torch.tensor([[0.0, 1.0, 5.0]])
        >>> moments.add(x, (x.amin(dim=1), x.amax(dim=1)))
        >>> moments.count, moments.mean, moments.m2
        (3, tensor([2.], dtype=torch.float64), tensor([14.], dtype=torch.float64))
    """

    def __init__(self, slices: int) -> None:
        self.count = 0
        self.mean, self.m2, self.abs_total, self.nonzero = torch.zeros(
            len(_SUMS), slices, dtype=torch.float64
        )

    def add(self, x: Tensor, extremes: tuple[Tensor, Tensor]) -> None:
        """Add the values of a tensor.

        Args:
            x: ``(slices, elements)`` of this rank.
            extremes: Smallest and largest value of each slice, over all ranks.
        """
        count = number_in_all(x.shape[1], x.device)
        if count == 0:
            return
        if self.count == 0:
            self._move(x.device)
        mean, m2, magnitudes, nonzero = _of_tensor(x, extremes, count)
        both = self.count + count
        distance = mean - self.mean
        self.m2 += m2 + distance.square() * (self.count * count / both)
        self.mean += distance * (count / both)
        self.count = both
        self.abs_total += magnitudes
        self.nonzero += nonzero

    def mean_square(self) -> Tensor:
        """Mean of the squared values, ``(slices,)``."""
        return self.mean.square() + self.variance()

    def variance(self) -> Tensor:
        """Mean squared distance from the mean, ``(slices,)``.

        Raises:
            InputError: If nothing was observed.
        """
        if self.count == 0:
            raise InputError("nothing was observed: run calibration batches first")
        return self.m2 / self.count

    def statistics(self) -> dict[str, Tensor]:
        """The moments, as tensors by name; empty before any observation."""
        if self.count == 0:
            return {}
        sums = {name: getattr(self, name).clone() for name in _SUMS}
        return {"count": torch.tensor(self.count), **sums}

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Replace the moments by others."""
        self.count = int(statistics["count"])
        for name in _SUMS:
            setattr(self, name, statistics[name].clone())

    def _move(self, device: torch.device) -> None:
        for name in _SUMS:
            setattr(self, name, getattr(self, name).to(device))


def abs_sums(x: Tensor, low: Tensor) -> Tensor:
    """Sum of magnitudes of each row, float64.

    Args:
        x: ``(slices, elements)``.
        low: Smallest value of each row; if none is negative, no magnitudes need to be stored.
    """
    one_sided = _none_is_negative(low)
    sums = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    for part in pieces(x):
        sums += _magnitudes(part.double(), one_sided)
    return sums


def _of_tensor(
    x: Tensor, extremes: tuple[Tensor, Tensor], count: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean, ``M2``, magnitudes and number of values other than 0 of each slice, over all ranks."""
    low, high = extremes
    middle = (low.double() + high.double()) / 2
    one_sided = _none_is_negative(low)
    sums = torch.zeros(4, len(x), dtype=torch.float64, device=x.device)
    for part in pieces(x):
        distances = part.double()
        sums[3] += _magnitudes(distances, one_sided)
        distances.sub_(middle.unsqueeze(1))
        sums[0] += distances.sum(dim=1)
        sums[1] += distances.square_().sum(dim=1)
        # To count the values that are not 0 takes four times as long. The sum of a piece is exact.
        signs = part.sign() if one_sided else part.sign().abs_()
        sums[2] += signs.sum(dim=1, dtype=_exact_for(part))
    first, second, nonzero, magnitudes = total(sums)
    m2 = (second - first.square() / count).clamp(min=0)
    return middle + first / count, m2, magnitudes, nonzero


def _magnitudes(values: Tensor, one_sided: bool) -> Tensor:
    """Sum of magnitudes of each row; after a ReLU no magnitudes need to be stored."""
    return (values if one_sided else values.abs()).sum(dim=1)


def _none_is_negative(low: Tensor) -> bool:
    """Whether no slice has a negative value; False where the answer would make a GPU wait."""
    return is_immediate(low.device) and bool((low >= 0).all())


def _exact_for(part: Tensor) -> torch.dtype:
    """A type that holds the number of columns of a piece exactly."""
    return torch.float32 if part.shape[1] <= 2**24 else torch.float64
