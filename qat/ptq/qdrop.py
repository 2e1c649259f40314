"""QDrop: blocks are reconstructed while activations are rounded at random.

Wei et al., "QDrop: Randomly Dropping Quantization for Extremely Low-bit Post-Training
Quantization", ICLR 2022, arXiv:2203.05740. Each block is reconstructed as by BRECQ, with a plain
squared error, and each element of an activation is

    rounded         with probability 1 - drop
    not rounded     with probability drop = 0.5,

independently, anew in each iteration. This includes the block's input: an element that is not
rounded is that of the float network. The learned weights then suit many sizes of the activations'
error, so that they serve images that were not seen. Afterwards all elements are rounded.

Differs from the paper: with activations that stay float the block's input is mixed all the same,
of the quantized and the float network.

Cites: wei2022qdrop.
"""

from typing import Any

from qat.ptq.block_reconstruction import BlockReconstruction


class QDrop(BlockReconstruction):
    """Learn each block with randomly dropped quantization.

    Args:
        drop: Probability that an element of an activation is not rounded.
        options: The fields of :class:`qat.ptq.reconstruction.Effort` by name.
    """

    def __init__(self, drop: float = 0.5, **options: Any) -> None:
        super().__init__(**options)
        self.options["drop"] = self.drop = drop
