"""Binary weights (XNOR-Net): a sign and a scale.

Rastegari et al., "XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks",
ECCV 2016, arXiv:1603.05279, section 3.1:

    w' = alpha * sign(w)                                  Eq. 1 and 4
    alpha = mean|w|                                       Eq. 6, of n weights
    dC/dw = dC/dw' * (1 / n + alpha * 1_{|w| <= 1})       gradient of training

Differs from the paper: one alpha for each output channel, group or tensor. ``sign(0)`` is -1.

Cites: rastegari2016xnor.
"""

import torch
from torch import Tensor

from qat.core.codebook import Codebook
from qat.quantizers.levels import WeightLevelsQuantizer


class BinaryQuantizer(WeightLevelsQuantizer):
    """Fake-quantize weights to ``-alpha`` and ``alpha``; alpha is their mean magnitude.

    Args:
        spec: How the weight is to be quantized, at 1 bit.
        layout: Which weights share an alpha.

    Example:
        >>> from qat.core.layout import Layout
        >>> from qat.core.scheme import Method, TensorSpec
        >>> spec = TensorSpec(bits=1, signed=True, quantizer=Method("binary"))
        >>> BinaryQuantizer(spec, Layout())(torch.tensor([[0.1, -0.5]]))
        tensor([[ 0.3000, -0.3000]])
    """

    def fit(self, rows: Tensor) -> None:
        """Eq. 6: the mean magnitude of each slice."""
        self.scale.copy_(rows.abs().mean(dim=1).reshape(self.layout.shape))

    def quantize(self, x: Tensor) -> Tensor:
        """Eq. 1 and 4, with the gradient of section 3.1."""
        scale = self.layout.beside(self.scale, x)
        value = torch.where(x.detach() > 0, scale, torch.where(x.isnan(), x.detach(), -scale))
        if not (torch.is_grad_enabled() and x.requires_grad):
            return value
        slope = self.layout.slices / x.numel() + scale * (x.detach().abs() <= 1)
        return value + slope * (x - x.detach())

    def codebook(self) -> Codebook:
        """``-alpha`` and ``alpha`` of each slice."""
        signs = torch.tensor([-1.0, 1.0], device=self.scale.device)
        return Codebook.scaled(signs, self.scale, self.layout)
