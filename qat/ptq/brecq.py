"""BRECQ: each block is reconstructed as a whole, and errors count by what they do to the loss.

Li et al., "BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction", ICLR
2021, arXiv:2102.05426. For each block, from the first to the last (Algorithm 1):

    minimise    E[dz^T diag((dL/dz_1)^2, (dL/dz_2)^2, ...) dz]                       Eq. 10

over the roundings of all weights of the block, in the form of AdaRound
(:mod:`qat.ptq.soft_rounding`), and over the steps of its activations, with the gradient of LSQ
(:mod:`qat.ptq.learned_step`). ``dz`` is the error of the block's output; its inputs are those of
the network whose earlier blocks are quantized. A layer outside residual blocks is a block.

Differs from the paper: the squared gradients are those of :mod:`qat.ptq.fisher`, without labels,
and scaled to a mean of 1 for each image. As they are, few images that the network is unsure of have
nearly all the weight, and the others go unused; the scale also gives the penalty the same weight in
every block. Blocks are found in the graph (:mod:`qat.ptq.segments`), so an inverted residual
without a shortcut is several blocks. The paper's allocation of bit widths is elsewhere
(:mod:`qat.allocate`).

Cites: li2021brecq.
"""

from typing import Any

import torch
from torch import Tensor

from qat.ptq.block_reconstruction import BlockReconstruction
from qat.ptq.blocks import LayerBlock


class Brecq(BlockReconstruction):
    """Learn each block with Fisher-weighted errors.

    Args:
        probes: Most backward passes for each batch of the Fisher diagonal; it is exact if there
            are no more classes.
        options: The fields of :class:`qat.ptq.reconstruction.Effort` by name.
    """

    def __init__(self, probes: int = 16, **options: Any) -> None:
        super().__init__(**options)
        self.options["probes"] = self._probes = probes

    def importance(self, block: LayerBlock) -> Tensor | None:
        """The Fisher diagonal of the block's output, with mean 1 for each image."""
        return with_mean_1(block.fisher_diagonal(self._probes))


def with_mean_1(diagonal: Tensor) -> Tensor:
    """Divide the values of each image by their mean; an image whose values are all 0 gets ones.

    Args:
        diagonal: ``(images, ...)``, not negative.

    Example:
        >>> with_mean_1(torch.tensor([[1.0, 3.0], [0.0, 0.0]])).tolist()
        [[0.5, 1.5], [1.0, 1.0]]
    """
    mean = diagonal.flatten(1).mean(dim=1).reshape(-1, *[1] * (diagonal.ndim - 1))
    usable = mean > torch.finfo(mean.dtype).tiny
    return torch.where(usable, diagonal / mean, torch.ones_like(diagonal))
