"""Quantization interval learning (QIL).

Jung et al., "Learning to Quantize Deep Networks by Optimizing Quantization Intervals with Task
Loss", CVPR 2019, arXiv:1808.05779. An interval of centre c and distance d is trained; magnitudes
below it become 0 (pruned), those above it the largest level (clipped):

    w_hat = 0 for |w| < c - d,  sign(w) for |w| > c + d,
            (alpha |w| + beta)^gamma sign(w) between,
    alpha = 0.5 / d,  beta = -0.5 c / d + 0.5                     Eq. 3, transformer of weights
    x_hat is the same for x >= 0 with gamma = 1                   Eq. 5, of activations
    w_bar = round(q w_hat) / q                                    Eq. 2, discretizer, with
    q = 2^(bits-1) - 1 for weights, 2^bits - 1 for activations

The gradients of w, c, d and gamma are those of the transformer; that of the rounding is 1.

Differs from the paper: the levels -1..1 are multiplied by ``c + d``, the magnitude that becomes 1,
so that a layer without batch norm behind it, and a network that is not trained, keep the size of
their outputs; its gradient counts. Signed activations are possible and are treated as weights.
``c - d`` is held at 0 or more, so that zero stays a level. An interval may be that of a channel or
a group. Training starts with the clip of least square error and no pruning: ``c = d = clip / 2``.

Cites: jung2019qil.
"""

import torch
from torch import Tensor, nn

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.thresholds import ThresholdQuantizer, held_at

_LEAST_GAMMA = 0.1


class QILQuantizer(ThresholdQuantizer):
    """Fake-quantize with a trained interval.

    Args:
        spec: How the tensor is to be quantized; symmetric, with a free scale.
        layout: Which elements of the tensor share an interval.
        learn_gamma: Train gamma too; it starts at 1, and stays there if this is false.

    Attributes:
        centre: c, of ``layout.shape``.
        distance: d, of ``layout.shape``.
        gamma: Of ``layout.shape``; a parameter if it is trained.

    Example:
        >>> quantizer = QILQuantizer(TensorSpec(bits=2, signed=False), Layout())
        >>> quantizer.set_interval(torch.tensor([2.0]), torch.tensor([1.0]))
        >>> quantizer(torch.tensor([1.3, 1.6, 2.6, 9.0])).tolist()  # 0.15, 0.3, 0.8, 1 of 1
        [0.0, 1.0, 2.0, 3.0]
    """

    learns = True
    gamma: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout, learn_gamma: bool = False) -> None:
        super().__init__(spec, layout)
        self.centre = nn.Parameter(torch.full(layout.shape, 0.5))
        self.distance = nn.Parameter(torch.full(layout.shape, 0.5))
        self.gamma = nn.Parameter(torch.ones(layout.shape), requires_grad=learn_gamma)
        self._learns_gamma = learn_gamma

    def observer_method(self) -> Method:
        """By default the range of least square error."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("mse")

    def soft_codes(self, magnitudes: Tensor) -> Tensor:
        """``q`` times the transformer of Eq. 3."""
        centre, distance = self._interval()
        inside = ((magnitudes - centre + distance) / (2 * distance)).clamp(0, 1)
        if self._learns_gamma:  # 0^gamma has no finite gradient
            inside = inside.clamp(min=torch.finfo(inside.dtype).eps) ** self._gamma()
        return inside * self.grid.qmax

    def magnitude_thresholds(self) -> Tensor:
        """Where ``q`` times the transformer is 0.5, 1.5 and so on."""
        centre, distance = (term.detach() for term in self._interval())
        codes = torch.arange(1, self.grid.qmax + 1, device=centre.device, dtype=centre.dtype)
        share = ((codes - 0.5) / self.grid.qmax) ** (1 / self._gamma().detach())
        return share * 2 * distance + (centre - distance)

    def step(self) -> Tensor:
        """``(c + d) / q``."""
        centre, distance = self._interval()
        return ((centre + distance) / self.grid.qmax).reshape(self.layout.shape)

    @torch.no_grad()
    def set_interval(self, centre: Tensor, distance: Tensor) -> None:
        """Replace the interval, in place.

        Args:
            centre: c, of ``layout.shape``.
            distance: d, of ``layout.shape``.
        """
        self.centre.copy_(centre)
        self.distance.copy_(distance)
        self._set_ready()

    @torch.no_grad()
    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the interval by one that prunes nothing, and gamma by 1.

        Args:
            scale: Distance of two levels, of ``layout.shape``.
            zero_point: Not used.
        """
        half = scale * (self.grid.qmax / 2)
        self.gamma.fill_(1.0)
        self.set_interval(half, half)

    def _interval(self) -> tuple[Tensor, Tensor]:
        """Centre and distance ``(slices, 1)``, the distance positive and not above the centre."""
        tiny = torch.finfo(self.distance.dtype).tiny
        distance = self.distance.abs().clamp(min=tiny).reshape(-1, 1)
        return held_at(distance.detach(), self.centre.reshape(-1, 1)), distance

    def _gamma(self) -> Tensor:
        return held_at(_LEAST_GAMMA, self.gamma.reshape(-1, 1))
