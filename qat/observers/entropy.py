"""The range of least relative entropy between values and quantized values (KL divergence).

Migacz, "8-bit Inference with TensorRT", GPU Technology Conference 2017, per tensor on a histogram
of 2,048 bins. For each candidate range of ``n`` bins:

    P    counts of the bins of the range; those of clipped values are added to the outermost bin
    Q    the same bins merged into the levels of the grid; the count of a level (without clipped
         values) is spread evenly over those of its bins where P is not 0
    KL   sum P ln(P / Q), both normalised to 1; the range of least KL is taken

A level that has nothing but clipped values counts one value in Q, so that KL is finite.

The number of levels: a symmetric signed grid represents magnitudes, so that the histogram is of
``|x|`` and has ``qmax + 1`` levels (128 at 8 bits, as in the source). In all other cases the range
has all ``2^bits`` levels, from 0 for an unsigned grid or values of one sign. Both ends of an
asymmetric range of values of both signs are moved towards 0 by the same factor.

Differs from the source: 512 candidates, evenly spaced between a range with one bin for each level
and the whole range, instead of every number of bins; with more levels than bins nothing is clipped.
The bin of 0 counts no more than the fuller of its neighbours: the grid represents 0 exactly, but
the histogram of a ReLU has half of its values in that bin, which no level of several bins can
imitate.
Of equally good ranges the widest is taken.

Cites: migacz2017tensorrt.
"""

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.observers.base import HISTOGRAM
from qat.observers.ends import widest
from qat.observers.histogram import BINS
from qat.observers.statistics import StatisticsObserver

CANDIDATES = 512
_ELEMENTS = 2**21  # (slices, candidates, levels) at once


class EntropyObserver(StatisticsObserver):
    """Range of least KL divergence of each slice.

    Args:
        slices: Number of scales.

    Example:
        >>> observer = EntropyObserver(slices=1)
        >>> observer.observe(torch.cat([torch.linspace(-1, 1, 9999), torch.tensor([9.0])])[None])
        >>> observer.range(IntGrid(8, signed=True), symmetric=True)[1] < 1.5  # clips the outlier
        tensor([True])
    """

    needs = (HISTOGRAM,)
    union = "sums"

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The best range of each slice.

        Args:
            grid: The codes that will represent it.
            symmetric: True if the zero point is fixed at 0.

        Raises:
            InputError: If nothing was observed.
        """
        low, high = (end.double() for end in self.extremes())
        low, high = widest(low, high, grid, symmetric=symmetric)
        folded = symmetric and grid.signed
        levels = grid.qmax + 1 if folded else grid.levels
        bins = _arranged(*self.histogram.bins(), low, high, folded)
        levels = min(levels, BINS)
        rows = max(1, _ELEMENTS // (CANDIDATES * (levels + 1)))
        counts, zero, used = (each.split(rows) for each in bins)
        parts = zip(counts, zero, used, strict=True)
        factor = torch.cat([best_factor(c, z, u, levels) for c, z, u in parts])
        dtype = torch.get_default_dtype()
        return (low * factor).to(dtype), (high * factor).to(dtype)


def best_factor(counts: Tensor, zero: Tensor, used: Tensor, levels: int) -> Tensor:
    """By which factor the whole range is shrunk, so that the divergence is least.

    Args:
        counts: ``(slices, bins)``.
        zero: ``(slices,)``, bin of value 0, towards which both ends are moved.
        used: ``(slices,)``, number of bins of the whole range; later ones are empty.
        levels: Of the grid, at most the number of bins.

    Returns:
        ``(slices,)``, above 0, at most 1.

    Example:
        >>> counts = torch.tensor([[9.0, 9, 8, 8, 0, 0, 0, 1]])
        >>> best_factor(counts, torch.tensor([0]), torch.tensor([8]), levels=2)
        tensor([0.5000], dtype=torch.float64)
    """
    zero, used = zero.unsqueeze(1), used.unsqueeze(1)
    least = (levels / used.double()).clamp(max=1.0)
    share = torch.linspace(0, 1, CANDIDATES, dtype=torch.float64, device=counts.device)
    factors = 1 - (1 - least) * share  # the widest first, so that it wins among equals
    first = zero - (factors * zero).round().long()
    last = zero + (factors * (used - zero)).round().long()
    divergences = divergence(counts, first, last, levels)
    best = divergences.nan_to_num(torch.inf, torch.inf).argmin(dim=1, keepdim=True)
    return ((last - first).gather(1, best) / used.double()).squeeze(1)


def divergence(counts: Tensor, first: Tensor, last: Tensor, levels: int) -> Tensor:
    """KL divergence of candidates.

    It needs running sums at the borders of the levels only, since with ``n`` counts in all, ``m``
    in the range, and in each level the sum ``p`` of P, the count ``q`` and ``b`` bins that P uses:

        KL = (sum of P ln P over bins - n ln n - sum of p ln(q / b m) over levels) / n

    Args:
        counts: ``(slices, bins)``, float64.
        first: ``(slices, candidates)``, first bin of each range.
        last: ``(slices, candidates)``, the bin after its last one; at least 2 bins.
        levels: Number of levels.
    """
    parts = torch.arange(levels + 1, device=counts.device)
    borders = first.unsqueeze(2) + (last - first).unsqueeze(2) * parts // levels
    below_bins = torch.stack([counts, (counts > 0).double(), torch.xlogy(counts, counts)])
    below, used, logs = torch.nn.functional.pad(below_bins.cumsum(dim=2), (1, 0))
    total = below[:, -1:]
    q, bins = (_at(sums, borders).diff(dim=2) for sums in (below, used))
    left_out = torch.stack([_at(below, first), total - _at(below, last)])
    outer = torch.stack([_at(counts, first), _at(counts, last - 1)])
    p = q.clone()
    for side, level in enumerate((0, -1)):
        p[..., level] += left_out[side]
        bins[..., level] += ((outer[side] == 0) & (left_out[side] > 0)).double()
    q = torch.where((q == 0) & (p > 0), 1.0, q)
    of_p = _at(logs, last) - _at(logs, first)
    of_p += (torch.xlogy(outer + left_out, outer + left_out) - torch.xlogy(outer, outer)).sum(dim=0)
    of_q = torch.xlogy(p, q / (bins.clamp(min=1) * q.sum(dim=2, keepdim=True))).sum(dim=2)
    return (of_p - torch.xlogy(total, total) - of_q) / total


def _at(rows: Tensor, index: Tensor) -> Tensor:
    """Elements of each row at indices of shape ``(rows, ...)``."""
    return rows.gather(1, index.reshape(len(rows), -1)).reshape(index.shape)


def _arranged(
    counts: Tensor, start: Tensor, width: Tensor, low: Tensor, high: Tensor, folded: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The histogram between the ends of the range, or of magnitudes if it is folded.

    Returns:
        Arguments of :func:`best_factor`.
    """
    centres = start + (torch.arange(BINS, device=counts.device) + 0.5) * width
    low, high = low.unsqueeze(1), high.unsqueeze(1)
    origin = torch.zeros_like(low) if folded else low
    width = torch.maximum(width, (high - origin) / BINS)
    used = ((high - origin) / width).ceil().long().clamp(1, BINS)
    position = ((centres.abs() if folded else centres) - origin) / width
    index = torch.minimum(position.floor().long().clamp(min=0), used - 1)
    arranged = torch.zeros_like(counts).scatter_add_(1, index, counts)
    zero = torch.minimum((-origin / width).floor().long(), used - 1)
    neighbours = [(zero + side).clamp(0, BINS - 1) for side in (-1, 1)]
    beside = torch.stack([arranged.gather(1, n) * (n != zero) for n in neighbours]).amax(dim=0)
    spike = torch.minimum(arranged.gather(1, zero), beside)
    return arranged.scatter(1, zero, spike), zero.squeeze(1), used.squeeze(1)
