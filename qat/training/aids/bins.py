r"""Bin regularization.

Han, Li, Liu, Tian and Shan 2021, "Improving Low-Precision Network Quantization via Bin
Regularization", ICCV 2021:

    L_BR = sum over bins i of  (mean(w_i) - w_hat_i)^2 + var(w_i)

where w_i are the weights that round to the level w_hat_i; a bin of one weight has no variance. It
makes each bin a sharp peak at its level.

Differs from the paper: weights are taken in units of their step, so that channels with their own
step share the bins of a layer; the weight of the term is that of the whole network's sum.

Cites: han2021bins.
"""

import torch
from torch import Tensor, nn

from qat.training.aids.penalty import in_steps, rounded_weights


class BinRegularization:
    """The regulariser of all weights on a uniform grid.

    Args:
        weight: Factor of the term.
    """

    name = "bin_regularization"

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, net: nn.Module, step: int, steps: int) -> Tensor:
        """``weight * L_BR``.

        Args:
            net: The quantized network.
            step: Has no effect.
            steps: Has no effect.
        """
        terms = [bin_term(*in_steps(weight, q)) for _, weight, q in rounded_weights(net)]
        return self.weight * torch.stack(terms).sum() if terms else torch.zeros(())


def bin_term(values: Tensor, codes: Tensor) -> Tensor:
    """``L_BR`` of one tensor.

    Args:
        values: Weights in steps.
        codes: The whole numbers that they round to, of the same shape.

    Example:
        >>> values, codes = torch.tensor([0.1, -0.1, 1.3]), torch.tensor([0.0, 0.0, 1.0])
        >>> round(bin_term(values, codes).item(), 4)  # variance 0.01, distance 0.3 ** 2
        0.1
    """
    flat, levels = values.flatten(), codes.flatten()
    bins = (levels - levels.min()).long()
    count = torch.zeros(int(bins.max()) + 1, dtype=flat.dtype, device=flat.device)
    count = count.index_add(0, bins, torch.ones_like(flat))
    mean = torch.zeros_like(count).index_add(0, bins, flat) / count.clamp(min=1)
    centred = flat - mean[bins]
    spread = torch.zeros_like(count).index_add(0, bins, centred.square())
    variance = spread / count.clamp(min=1)
    level = torch.arange(len(count), dtype=flat.dtype, device=flat.device) + levels.min()
    distance = torch.where(count > 0, mean - level, 0.0).square()
    return distance.sum() + torch.where(count > 1, variance, 0.0).sum()
