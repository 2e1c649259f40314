"""Learned quantization with a basis (LQ-Nets).

Zhang et al., "LQ-Nets: Learned Quantization for Highly Accurate and Compact Deep Neural Networks",
ECCV 2018, arXiv:1807.10029. The levels are the sums of a basis v of as many numbers as bits:

    Q(x) = nearest of {v^T e},   e of {-1, 1}^bits, or of {0, 1}^bits for unsigned tensors
    quantization error minimisation (QEM), alternating:
        B = the encodings e of all x, nearest level under v
        v = (B B^T)^-1 B x
    Each training step does it once for its tensor and moves v by a tenth of the way to the result.
    d Q / d x = 1;  for unsigned tensors 1 within 0 .. the largest level, 0 outside it

Differs from the paper: signed activations are possible, with the levels of weights. The basis
starts as that of the uniform grid of least square error, followed by ten rounds of QEM on the
calibration data (the paper starts from a normal distribution). ``B B^T`` gets 1e-6 of the number
of values on its diagonal, towards the present v, because an encoding may not occur.

Cites: zhang2018lqnets.
"""

from itertools import product

import torch
from torch import Tensor

from qat.core.codebook import nearest
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.processes import total
from qat.core.scheme import Method, TensorSpec
from qat.observers.statistics import distribution
from qat.quantizers.tables import TableQuantizer

MOMENTUM = 0.9
_ROUNDS_AT_START = 10
_RIDGE = 1e-6


class LQNetsQuantizer(TableQuantizer):
    """Fake-quantize to sums of a basis, which follows the values in training until ``frozen``.

    Args:
        spec: How the tensor is to be quantized, at 2 to 4 bits.
        layout: Which elements of the tensor share a basis.

    Attributes:
        basis: v, ``(slices, bits)``.

    Example:
        >>> quantizer = LQNetsQuantizer(TensorSpec(bits=2, signed=True), Layout())
        >>> quantizer.set_basis(torch.tensor([[1.0, 3.0]]))
        >>> quantizer.codebook().values.tolist()
        [[-4.0, -2.0, 2.0, 4.0]]
    """

    follows_each_call = True
    basis: Tensor
    encodings: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.register_buffer("basis", torch.ones(layout.slices, spec.bits))
        digits = (-1.0, 1.0) if self.grid.signed else (0.0, 1.0)
        table = torch.tensor(list(product(digits, repeat=spec.bits)))
        self.register_buffer("encodings", table, persistent=False)

    def observer_method(self) -> Method:
        """By default the histogram on which the first basis is fitted."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("mse")

    def forward(self, x: Tensor) -> Tensor:
        """As the base; in training the basis first follows ``x``."""
        if self._ready and self._follows():
            self._follow(self.layout.sliced(x.detach()))
        return super().forward(x)

    @property
    def only_rounds(self) -> bool:
        """True unless the basis follows the values in training."""
        return self.is_rounding and not self._follows()

    def adopt_range(self) -> None:
        """Take the uniform levels of the observed range, then minimise the error."""
        super().adopt_range()
        observed = distribution(self.observer)
        if observed is not None:
            for _ in range(_ROUNDS_AT_START):
                self.basis.copy_(self.refitted(*observed))

    @torch.no_grad()
    def set_basis(self, basis: Tensor) -> None:
        """Replace the basis, in place.

        Args:
            basis: ``(slices, bits)``.
        """
        self.basis.copy_(basis)
        self._set_ready()

    def set_largest(self, largest: Tensor) -> None:
        """Take the basis of evenly spaced levels."""
        powers = 2.0 ** torch.arange(self.spec.bits, device=largest.device, dtype=largest.dtype)
        self.set_basis(largest.reshape(-1, 1) * powers / powers.sum())

    def levels(self) -> Tensor:
        """The sums of the basis, ascending."""
        return self._sorted()[0]

    @torch.no_grad()
    def refitted(self, values: Tensor, weights: Tensor | None = None) -> Tensor:
        """The basis after one round of QEM.

        Args:
            values: ``(slices, n)``; on several ranks the part of this one.
            weights: How often each value occurs; None for once.

        Returns:
            ``(slices, bits)``, in the dtype of the basis.
        """
        levels, encodings = self._sorted()
        codes, rows = nearest(values, levels), values.double()
        ones = torch.ones_like(rows) if weights is None else weights.double()
        inside = [torch.where(codes == level, ones, 0.0) for level in range(levels.shape[1])]
        counts = total(torch.stack([each.sum(dim=1) for each in inside], dim=1))
        sums = total(torch.stack([(each * rows).sum(dim=1) for each in inside], dim=1))
        square = torch.einsum("sl,slb,slc->sbc", counts, encodings, encodings)
        mixed = torch.einsum("sl,slb->sb", sums, encodings)
        ridge = (_RIDGE * counts.sum(dim=1)).clamp(min=_RIDGE).unsqueeze(1)
        square = square + torch.diag_embed(ridge.expand_as(mixed))
        solved = torch.linalg.solve(square, mixed + ridge * self.basis.double())
        return solved.to(self.basis.dtype)

    def quantize(self, x: Tensor) -> Tensor:
        """The nearest level, with the gradient of the paper."""
        levels = self.levels()
        value = self._nearest_level(x, levels)
        if self.grid.signed:
            return grad_of(value, x)
        inside = (x >= 0) & (x <= self.layout.beside(levels[:, -1], x))
        return grad_of(value, torch.where(inside, x, torch.zeros_like(x)))

    def _sorted(self) -> tuple[Tensor, Tensor]:
        """Levels ``(slices, levels)``, ascending, and their encodings in float64."""
        levels, order = (self.basis @ self.encodings.to(self.basis).T).sort(dim=1, stable=True)
        return levels, self.encodings.double()[order]

    @torch.no_grad()
    def _follow(self, rows: Tensor) -> None:
        self.basis.mul_(MOMENTUM).add_(self.refitted(rows) * (1 - MOMENTUM))

    def _follows(self) -> bool:
        return self.phase == "quantize" and self.training and not self.frozen
