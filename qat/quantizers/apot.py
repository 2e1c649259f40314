"""Additive powers-of-two quantization (APoT).

Li, Dong and Wang, "Additive Powers-of-Two Quantization: An Efficient Non-uniform Discretization
for Neural Networks", ICLR 2020, arXiv:1909.13144.

A magnitude of ``b = 2n`` bits is a sum of n powers of two, of which each has a code of 2 bits:

    Q(alpha, b) = alpha * gamma * {sum of p_i, i = 0 .. n-1},
    p_i of {0, 2^-i, 2^-(i+n), 2^-(i+2n)}                              Eq. 5
    gamma makes alpha the largest level.
    odd b = 2n + 1: p_i of {0, 2^-i, 2^-(i+n), 2^-(i+2n+1)}, and one more term of {0, 2^-2n}.

    w_hat = alpha * nearest level of clip(w / alpha, -1, 1)            Eq. 7
    d w_hat / d alpha = w_hat / alpha - w / alpha   inside the clip,
                        sign(w)                     outside it         Eq. 8
    d w_hat / d w     = 1 inside the clip, 0 outside it
    standardize: w is first replaced by (w - mean) / std of the layer  Eq. 9

Signed codes have one bit for the sign and ``bits - 1`` for the magnitude, unsigned codes have
``bits`` for the magnitude.

Differs from the paper: signed activations, clipped at -alpha and alpha, are possible; alpha may be
that of a channel or a group; by default alpha starts at the clip of least square error. The start
of the paper is 3 for standardized weights (here 3 std for all signed tensors) and 8 for unsigned
activations. Weights are standardized only by
option, and are then multiplied by std again, so that a layer without batch norm behind it keeps
the size of its outputs; with batch norm, both compute the same. In evaluation mean and std are
those of the last training step. The gradient of w passes through both, and stops at the clip; the
program of the authors takes both as constants, and passes the gradient of weights everywhere.

Cites: li2020apot.
"""

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.codebook import Codebook
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.observers.statistics import distribution
from qat.quantizers.clip_search import least_square_clip
from qat.quantizers.tables import TableQuantizer

STARTS = ("mse", "paper")
_CLIP_OF_WEIGHTS, _CLIP_OF_ACTIVATIONS = 3.0, 8.0


class APoTQuantizer(TableQuantizer):
    """Fake-quantize to sums of powers of two, with a trained clip.

    Args:
        spec: How the tensor is to be quantized, at 2 to 8 bits.
        layout: Which elements of the tensor share a clip.
        start: First clip: ``mse``, that of least square error, or ``paper``. An observer of the
            spec other than ``default`` replaces ``mse``.
        standardize: Standardize weights before the clip; it has no effect on activations.

    Raises:
        InputError: If ``start`` is unknown, or would ignore the observer of the spec.

    Example:
        >>> quantizer = APoTQuantizer(TensorSpec(bits=4, signed=False), Layout())
        >>> quantizer.set_range(0.0, 1.5)
        >>> quantizer(torch.tensor([0.3, 1.2, 9.0])).tolist()  # 1/4 + 1/32, 1 + 1/8, 1 + 1/2
        [0.28125, 1.125, 1.5]
    """

    learns = True
    unit_levels: Tensor
    mean: Tensor
    std: Tensor

    def __init__(
        self, spec: TensorSpec, layout: Layout, start: str = "mse", standardize: bool = False
    ) -> None:
        one_of("start of apot", start, STARTS)
        if start == "paper" and spec.observer.name != "default":
            raise InputError(
                f"apot with start=paper would ignore the observer {spec.observer.name!r}: "
                "set start=mse, or leave the observer at default"
            )
        self._start = start
        super().__init__(spec, layout)
        self._standardizes = standardize
        self.clip = nn.Parameter(torch.ones(layout.shape))
        unit = unit_levels(spec.bits, signed=self.grid.signed).float()
        self.register_buffer("unit_levels", unit, persistent=False)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def observer_method(self) -> Method:
        """By default the histogram in which the clip of least square error is searched."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("mse")

    def observe(self, x: Tensor) -> None:
        """Collect the values, standardized if weights are."""
        if self._standardizes:
            self._follow(x.detach())
            x = (x - self.mean) / self.std
        super().observe(x)

    def adopt_range(self) -> None:
        """Take the first clip from the observed values."""
        fixed = self.spec.observer.name != "default"
        observed = None if fixed else distribution(self.observer)
        if observed is None:
            super().adopt_range()
            return
        values, weights = observed
        if self._start == "mse":
            clip = least_square_clip(values, weights, self.unit_levels)
        elif self.grid.signed:
            clip = _CLIP_OF_WEIGHTS * _weighted_std(values, weights)
        else:
            clip = torch.full_like(values[:, 0], _CLIP_OF_ACTIVATIONS)
        self.set_largest(clip.reshape(self.layout.shape))
        self._set_ready()

    @torch.no_grad()
    def set_largest(self, largest: Tensor) -> None:
        """Replace the clip, in place."""
        self.clip.copy_(largest)

    def levels(self) -> Tensor:
        """Eq. 5, of each slice, times std if weights are standardized."""
        return self._clip().reshape(-1, 1) * self.unit_levels.to(self.clip) * self.std

    def codebook(self) -> Codebook:
        """The levels; without standardization, a clip for each slice times those of Eq. 5."""
        if self._standardizes:
            return super().codebook()
        return Codebook.scaled(self.unit_levels, self._clip(), self.layout)

    def encode(self, x: Tensor) -> Tensor:
        """Indices into the codebook, int32."""
        return super().encode(x - self.mean if self._standardizes else x)

    def quantize(self, x: Tensor) -> Tensor:
        """Eq. 7, with the gradients of Eq. 8."""
        std: Tensor = self.std
        if self._standardizes and self.training:
            self._follow(x.detach())
            std, centred = _spread(x), x - x.mean()
            x = grad_of(x.detach() - self.mean, centred)
        elif self._standardizes:
            x = x - self.mean
        value = self._nearest_level(x, self.levels())
        clip = self.layout.beside(self._clip(), x) * std
        steps = (x / clip).detach()
        least = -1.0 if self.grid.signed else 0.0
        inside = (steps >= least) & (steps <= 1)
        of_clip = torch.where(inside, value / clip.detach() - steps, steps.clamp(least, 1.0))
        return grad_of(value, torch.where(inside, x, torch.zeros_like(x)) + clip * of_clip)

    def _clip(self) -> Tensor:
        return self.clip.abs().clamp(min=torch.finfo(self.clip.dtype).tiny)

    @torch.no_grad()
    def _follow(self, weight: Tensor) -> None:
        self.mean.copy_(weight.mean())
        self.std.copy_(_spread(weight))


def unit_levels(bits: int, *, signed: bool) -> Tensor:
    """Eq. 5 for alpha = 1, ascending, float64.

    Args:
        bits: Width of a code, with the sign.
        signed: Whether one bit is the sign.

    Example:
        >>> unit_levels(3, signed=True).tolist()
        [-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0]
    """
    wide = bits - 1 if signed else bits
    terms, odd = divmod(wide, 2)
    sums = [0.0]
    for i in range(terms):
        powers = (0.0, 2.0**-i, 2.0 ** -(i + terms), 2.0 ** -(i + 2 * terms + odd))
        sums = [each + power for each in sums for power in powers]
    if odd:
        sums = [each + power for each in sums for power in (0.0, 2.0 ** (-2 * terms))]
    levels = torch.tensor(sorted(sums), dtype=torch.float64)
    levels = levels / levels[-1]
    return torch.cat([-levels[1:].flip(0), levels]) if signed else levels


def _spread(weight: Tensor) -> Tensor:
    """Standard deviation over a layer, never 0."""
    return weight.std(correction=0).clamp(min=torch.finfo(weight.dtype).tiny)


def _weighted_std(values: Tensor, weights: Tensor) -> Tensor:
    """Standard deviation of each row; 1 for a constant row."""
    total = weights.sum(dim=1, keepdim=True)
    mean = (values * weights).sum(dim=1, keepdim=True) / total
    std = (((values - mean).square() * weights).sum(dim=1) / total.squeeze(1)).sqrt()
    return torch.where(std > 0, std, 1.0)
