r"""Dampening of oscillations.

Nagel, Fournarakis, Bondarenko & Blankevoort 2022, "Overcoming Oscillations in Quantization-Aware
Training", ICML 2022, arXiv:2203.11086, section 4.2:

    L_dampen = || w_hat - clip(w, s n, s p) ||_F^2        no gradient through w_hat
    L        = L_task + lambda(t) L_dampen,   lambda by cosine from 0 to its final value

It draws latent weights towards the centre of their bin, so that they cross its border less often;
weights beyond the grid get no gradient from it.

Differs from the paper: with batch norm folded in during training (placement ``integer``), w is the
folded weight.

Cites: nagel2022oscillations.
"""

import torch
from torch import Tensor, nn

from qat.training.aids.penalty import cosine, rounded_weights


class Dampening:
    """The dampening term of all weights on a uniform grid.

    Args:
        weight: Final value of lambda; the paper takes 0.1 for MobileNetV2 at 3 and 4 bits.
    """

    name = "dampening"

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, net: nn.Module, step: int, steps: int) -> Tensor:
        """``lambda(step) * L_dampen``.

        Args:
            net: The quantized network.
            step: Optimizer step, from 0.
            steps: Optimizer steps of the whole training.
        """
        terms = [self._term(weight, quantizer) for _, weight, quantizer in rounded_weights(net)]
        factor = cosine(0.0, self.weight, step, steps)
        return factor * torch.stack(terms).sum() if terms else torch.zeros(())

    @staticmethod
    def _term(weight: Tensor, quantizer: nn.Module) -> Tensor:
        grid, qparams = quantizer.grid, quantizer.qparams()  # type: ignore[operator]
        scale = qparams.layout.beside(qparams.scale, weight)
        zero = qparams.layout.beside(qparams.zero_point, weight)
        low, high = (grid.qmin - zero) * scale, (grid.qmax - zero) * scale  # type: ignore[union-attr, operator]
        target = quantizer.decode(quantizer.encode(weight.detach())).detach()  # type: ignore[operator]
        return (target - torch.clamp(weight, low, high)).square().sum()
