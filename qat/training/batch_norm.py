"""Batch norm over the batch of all ranks, on any device.

torch's own SyncBatchNorm refuses CPU tensors and puts other modules in place of the network's.
Here the modules stay as they are and only compute differently while a training goes on:

    mean = sum over ranks of sum(x) / n,   var = sum over ranks of sum((x - mean)^2) / n

with n the elements of a channel on all ranks, which need not be equal in number. Gradients flow
through both sums. The running variance is the unbiased one, as in torch.
"""

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from qat.core.processes import world_size

_BatchNorm = nn.modules.batchnorm._BatchNorm  # of one to three dimensions


def synchronise(net: nn.Module) -> None:
    """Let every batch norm of a network see the whole batch; :func:`release` undoes it."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            vars(module)["forward"] = MethodType(_forward, module)


def release(net: nn.Module) -> None:
    """Batch norm as the class has it."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            vars(module).pop("forward", None)


class _Total(torch.autograd.Function):
    """Sum over ranks, whose gradient is the sum over ranks of gradients."""

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
    sums: Tensor = _Total.apply(torch.cat([values.sum(axes), elements]))
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = values - mean.view(shape)
    variance = _Total.apply(centred.square().sum(axes)) / count
    _follow(self, mean.detach(), variance.detach() * (count / (count - 1).clamp(min=1)))
    result = centred * (variance + self.eps).rsqrt().view(shape)
    if self.affine:
        result = result * self.weight.view(shape) + self.bias.view(shape)
    return result.to(x.dtype)


@torch.no_grad()
def _follow(norm: Any, mean: Tensor, variance: Tensor) -> None:
    if not norm.track_running_stats:
        return
    norm.num_batches_tracked += 1
    share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)
