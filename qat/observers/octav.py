"""The clip of least mean square error by Newton's iteration (OCTAV).

Sakr et al., "Optimal Clipping and Magnitude-aware Differentiation for Improved Quantization-aware
Training", ICML 2022, arXiv:2206.06501, section 3. A clip ``s`` costs rounding noise inside it and
clipping outside it; with ``B`` bits for values of both signs the mean square error (Eq. 4) is

    J(s) = 4^-B / 3 * s^2 P(0 < |x| <= s) + E[(s - |x|)^2; |x| > s]

and Newton's iteration on it (Corollary 3.2, which leaves out zeros)

    s <- E[|x|; |x| > s] / (4^-B / 3 * P(0 < |x| <= s) + P(|x| > s))

begins at the mean magnitude of the values other than 0. For values of one sign the factor is
``4^-B / 12`` (appendix A).

Differs from the paper: the two ends of an asymmetric range ``low .. high`` are shrunk by one factor
``t``, and the iteration is that of ``t``: with ``step = (high - low) / 2^B`` and ``e`` the end
beyond which x lies,

    t <- E[x e; outside] / (step^2 / 12 * P(inside, x not 0) + E[e^2; outside])

which is the paper's for ``low = -high`` and for ``low = 0``. Second, the noise model of ``J`` has
its outermost code on the clip, while the codes of a grid end inside it: at 4 bits and fewer its
step is 5 to 29 % narrower than the best one. So the iteration goes on from there with the exact
derivative of the error on the codes ``k`` of the grid, and the curvature of ``J``:

    step <- step + E[k (x - k step)] / (P(inside) / 12 + E[k^2; outside])

Where the error does not fall, the next change has the curvature ``E[k^2]`` of fixed codes instead,
with which it never rises. The result is never worse than the min-max range.

Cites: sakr2022octav.
"""

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.core.qparams import qparams_from_range
from qat.observers.base import HISTOGRAM
from qat.observers.ends import widest
from qat.observers.statistics import StatisticsObserver

_PAPER_STEPS, _GRID_STEPS = 20, 16


class OCTAVObserver(StatisticsObserver):
    """Range of least mean square error of each slice, by Newton's iteration.

    The ends of an asymmetric range have one factor, so that its error may be larger than that of
    ``mse``, which searches each end.

    Args:
        slices: Number of scales.

    Example:
        >>> observer = OCTAVObserver(slices=1)
        >>> observer.observe(torch.cat([torch.linspace(-1, 1, 999), torch.tensor([9.0])])[None])
        >>> observer.range(IntGrid(2, signed=True), symmetric=True)[1] < 2  # the outlier is clipped
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
        values, weights = self.histogram.weighted_values()
        weights = weights / weights.sum(dim=1, keepdim=True)
        is_zero = values.abs() <= self.histogram.resolution() / 2
        factor = newton_factor(values, weights * ~is_zero, low, high, grid.bits)
        scale, zero_point = qparams_from_range(low, high, grid, symmetric=symmetric)
        codes = grid.qmin - zero_point, grid.qmax - zero_point
        first = factor * (high - low) / 2**grid.bits
        step = best_step(values, weights, codes, scale, first)
        dtype = torch.get_default_dtype()
        # A symmetric range -qmax .. qmax has the code below -qmax as well.
        lowest = torch.where(low < 0, codes[0].clamp(min=-codes[1]) if symmetric else codes[0], 0.0)
        has_range = high > low
        low, high = (torch.where(has_range, step * code, 0.0) for code in (lowest, codes[1]))
        return low.to(dtype), high.to(dtype)


def newton_factor(values: Tensor, weights: Tensor, low: Tensor, high: Tensor, bits: int) -> Tensor:
    """The paper's iteration: by which factor both ends of a range are shrunk.

    Args:
        values: ``(slices, n)``.
        weights: ``(slices, n)``, share of each value; 0 for values that are 0.
        low: ``(slices,)``, at most 0.
        high: ``(slices,)``, at least 0.
        bits: Width of a code.

    Returns:
        ``(slices,)``, above 0, at most 1.
    """
    low, high = low.unsqueeze(1), high.unsqueeze(1)
    reach = torch.maximum(-low, high)
    noise = ((high - low) / 2**bits).square() / 12
    nonzero = weights.sum(dim=1, keepdim=True)
    factor = (weights * values.abs()).sum(dim=1, keepdim=True) / (nonzero * reach)
    factor = factor.nan_to_num(1.0, 1.0).clamp(max=1.0)
    for _ in range(_PAPER_STEPS):
        above, below = values > factor * high, values < factor * low
        end = torch.where(above, high, torch.where(below, low, 0.0))
        inside = (weights * ~(above | below)).sum(dim=1, keepdim=True)
        clipped = (weights * values * end).sum(dim=1, keepdim=True)
        curvature = noise * inside + (weights * end.square()).sum(dim=1, keepdim=True)
        factor = torch.where(clipped > 0, clipped / curvature, factor).clamp(max=1.0)
    return factor.squeeze(1)


def best_step(
    values: Tensor, weights: Tensor, codes: tuple[Tensor, Tensor], widest: Tensor, first: Tensor
) -> Tensor:
    """Newton's iteration on the codes of a grid: the step of least error that it meets.

    Args:
        values: ``(slices, n)``.
        weights: ``(slices, n)``, share of each value.
        codes: Lowest and highest code, relative to that of zero, each ``(slices,)``.
        widest: ``(slices,)``, step with which no value is clipped.
        first: ``(slices,)``, where the iteration starts.
    """
    lowest, highest = (code.unsqueeze(1) for code in codes)

    def at(step: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Error at a step, Newton's change of it, and that of fixed codes."""
        steps = values / step
        code = steps.round().clamp(lowest, highest)
        residual = (code * step).sub_(values)
        outside = (steps > highest + 0.5) | (steps < lowest - 0.5)
        error = (weights * residual.square()).sum(dim=1, keepdim=True)
        slope = (weights * code * residual).sum(dim=1, keepdim=True)
        curvature = (weights * torch.where(outside, code.square(), 1 / 12)).sum(dim=1, keepdim=True)
        squares = (weights * code.square()).sum(dim=1, keepdim=True)
        return error, -slope / curvature, (-slope / squares).nan_to_num(0.0, 0.0, 0.0)

    best = widest.unsqueeze(1)
    least, _, _ = at(best)
    step = torch.where(first > 0, first, widest).unsqueeze(1)
    error, change, careful = at(step)
    better = torch.ones_like(step, dtype=torch.bool)
    for _ in range(_GRID_STEPS):
        trial = step + torch.where(better, change, careful)
        trial = torch.minimum(torch.maximum(trial, step / 2), step * 2)
        trial_error, *trial_changes = at(trial)
        better = trial_error < error
        step, error = torch.where(better, trial, step), torch.where(better, trial_error, error)
        change = torch.where(better, trial_changes[0], change)
        careful = torch.where(better, trial_changes[1], careful)
    return torch.where(error < least, step, best).squeeze(1)
