"""Batch normalization over the batch of all ranks, on any device.

torch's own SyncBatchNorm does not accept CPU tensors and replaces the modules of the network. Here
the modules stay, and only their forward pass changes during the training:

    mean = sum over ranks of sum(x) / n,   var = sum over ranks of sum((x - mean)^2) / n

with n the number of elements of a channel on all ranks; the ranks may have different numbers.
Gradients flow through both sums. The running variance is the unbiased one, as in torch.
"""

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from qat.core.processes import world_size

AnyBatchNorm = nn.modules.batchnorm._BatchNorm
"""Base class of batch normalization in one to three dimensions, synchronised or not."""


def synchronise(net: nn.Module) -> None:
    """Make every batch norm of a network normalise over all ranks; :func:`release` undoes it."""
    for module in net.modules():
        if isinstance(module, AnyBatchNorm):
            vars(module)["forward"] = MethodType(_forward, module)


def release(net: nn.Module) -> None:
    """Make every batch norm compute as its class defines it."""
    for module in net.modules():
        if isinstance(module, AnyBatchNorm):
            vars(module).pop("forward", None)


class _SumOverRanks(torch.autograd.Function):
    """Sum over ranks; its gradient is the sum of the gradients of all ranks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        result = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        result = grad.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(result)
        return result


def _forward(self: Any, x: Tensor) -> Tensor:
    if not self.training or world_size() == 1:
        return type(self).forward(self, x)  # type: ignore[no-any-return]
    shape = (1, -1, *[1] * (x.ndim - 2))
    axes = [0, *range(2, x.ndim)]
    values = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    elements = values.new_tensor([values.numel() // values.shape[1]])
    sums: Tensor = _SumOverRanks.apply(torch.cat([values.sum(axes), elements]))
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = values - mean.view(shape)
    variance = _SumOverRanks.apply(centred.square().sum(axes)) / count
    _update_statistics(self, mean.detach(), variance.detach() * (count / (count - 1).clamp(min=1)))
    result = centred * (variance + self.eps).rsqrt().view(shape)
    if self.affine:
        result = result * self.weight.view(shape) + self.bias.view(shape)
    return result.to(x.dtype)


@torch.no_grad()
def _update_statistics(norm: Any, mean: Tensor, variance: Tensor) -> None:
    if not norm.track_running_stats:
        return
    norm.num_batches_tracked += 1
    share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)
