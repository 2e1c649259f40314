"""Estimate the statistics of the batch norms anew, in the quantized network.

Hubara, Nahshan, Hanani, Banner, Soudry, "Improving Post Training Neural Quantization: Layer-wise
Calibration and Integer Programming", arXiv:2006.10518 (batch-norm tuning). The running mean and
variance of a float network are not those of the quantized one, whose rounding shifts and scales
each channel. They are replaced by the averages over all batches of the quantized network,

    mean = 1/B sum_b mean_b        var = 1/B sum_b var_b

with the unbiased variance of each batch. Gamma and beta stay.

Differs from the paper: the statistics are replaced before batch norm is folded; in a network whose
batch norms are folded there is nothing to estimate, and the step refuses.

Cites: hubara2020layerwise.
"""

import torch
from torch import nn

from qat.base.errors import InputError
from qat.ptq.step import QuantizedStep
from qat.ptq.work import Work

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class BNReestimate(QuantizedStep):
    """Replace the running statistics of every batch norm."""

    @torch.no_grad()
    def change(self, work: Work) -> None:
        """Run all batches with the batch norms, and nothing else, in training mode.

        Raises:
            InputError: If the network has no batch norm with running statistics.
        """
        norms = [
            module
            for module in work.qnet.modules()
            if isinstance(module, _NORMS) and module.running_mean is not None
        ]
        if not norms:
            raise InputError(
                "ptq has bn_reestimate, but the quantized network has no batch norm: leave "
                "bn_reestimate out, or use bias_correction"
            )
        before = [(norm.momentum, norm.training) for norm in norms]
        try:
            for norm in norms:
                norm.reset_running_stats()
                norm.momentum, norm.training = None, True  # None: the average over all batches
            for batch in work.track("bn_reestimate", work.batches):
                if len(batch) > 1:
                    work.qnet(batch.to(work.device))
        finally:
            for norm, (momentum, training) in zip(norms, before, strict=True):
                norm.momentum, norm.training = momentum, training
