"""Binary activations (XNOR-Net): a sign and a scale.

Rastegari et al., "XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks",
ECCV 2016, arXiv:1603.05279, section 3.2, with the straight-through estimator of Courbariaux et al.
2016, arXiv:1602.02830, Eq. 4, that it takes over:

    x' = beta * sign(x)
    beta = mean|x|                                        K, Eq. 9 and 10
    dC/dx = dC/dx' * beta * 1_{|x| <= 1}

Differs from the paper: beta is one number for the tensor (or for each channel), the mean over the
calibration images, instead of one for each place of the input. Batch norm is not moved before the
sign. ``sign(0)`` is -1: after a ReLU no value is negative, and a sign of 1 for zero would be the
same for all.

Cites: rastegari2016xnor, courbariaux2016bnn.
"""

import torch
from torch import Tensor

from qat.core.codebook import Codebook
from qat.core.scheme import Method
from qat.quantizers.levels import LevelsQuantizer


class SignQuantizer(LevelsQuantizer):
    """Fake-quantize activations to ``-beta`` and ``beta``; beta is their mean magnitude.

    Args:
        spec: How the tensor is to be quantized, at 1 bit.
        layout: Which elements share a beta.

    Example:
        >>> from qat.core.layout import Layout
        >>> from qat.core.scheme import TensorSpec
        >>> spec = TensorSpec(bits=1, signed=True, quantizer=Method("sign"))
        >>> quantizer = SignQuantizer(spec, Layout())
        >>> quantizer.set_range(-0.5, 0.5)
        >>> quantizer(torch.tensor([0.1, 0.0, 3.0]))
        tensor([ 0.5000, -0.5000,  0.5000])
    """

    def observer_method(self) -> Method:
        """The mean magnitude of all observed values."""
        return Method("mean_abs")

    def adopt_range(self) -> None:
        """Take beta from the observer, whose range ends at ``2 mean|x| sqrt(qmax)``, qmax = 1."""
        _, high = self.observer.range(self.grid, symmetric=True)
        self.set_range(-high / 2, high / 2)

    def quantize(self, x: Tensor) -> Tensor:
        """The sign times beta, with the gradient of a sign that is clipped at 1."""
        scale = self.layout.beside(self.scale, x)
        value = torch.where(x.detach() > 0, scale, torch.where(x.isnan(), x.detach(), -scale))
        if not (torch.is_grad_enabled() and x.requires_grad):
            return value
        return value + torch.where(x.detach().abs() <= 1, scale * (x - x.detach()), 0.0)

    def codebook(self) -> Codebook:
        """``-beta`` and ``beta`` of each slice."""
        signs = torch.tensor([-1.0, 1.0], device=self.scale.device)
        return Codebook.scaled(signs, self.scale, self.layout)
