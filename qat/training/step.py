"""The part of a training step that may be compiled: forward pass and loss."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.convert.fused import fused
from qat.core.kernels import (
    NoCompilerWarning,
    current_kernel,
    has_compiler,
    has_gpu_compiler,
    missing_compiler,
)
from qat.core.torch_private import set_eager_numerics

TrainingStep = Callable[[nn.Module, Tensor, Tensor, float], tuple[Tensor, Tensor]]
"""From network, images, labels and label smoothing to loss and logits."""


def loss_and_logits(
    net: nn.Module, images: Tensor, labels: Tensor, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Mean cross entropy of a batch, and its logits ``(batch, classes)``.

    Args:
        net: Images to logits.
        images: ``(batch, channels, height, width)``.
        labels: int64 ``(batch,)``.
        label_smoothing: Share of the target that is spread over all classes, 0 to 1.

    Example:
        >>> logits = torch.zeros(2, 4)
        >>> loss, _ = loss_and_logits(nn.Identity(), logits, torch.tensor([0, 3]))
        >>> round(loss.item(), 4)  # log(4)
        1.3863
    """
    logits = net(images)
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing), logits


def make_step(compile: str, device_type: str = "cpu", net: nn.Module | None = None) -> TrainingStep:
    """:func:`loss_and_logits`, plain, with fused roundings, or compiled with its backward pass.

    With compiled quantizers (:func:`qat.core.kernels.current_kernel`) the step computes additions
    and ReLUs together with the rounding after them, see :mod:`qat.convert.fused`.

    With ``compile=model`` only the shape of the first batch is compiled; a smaller last batch runs
    uncompiled, because a second compilation would cost more time than it saves. Without a compiler
    the plain step is returned, with one warning. Network and state dict do not change.

    Args:
        compile: ``none`` or ``model``.
        device_type: Type of the device of network and images, such as ``cpu`` or ``cuda``.
        net: The network that is trained, in training mode; None fuses nothing.
    """
    if compile == "none":
        whole = fused(net) if net is not None and current_kernel() == "compiled" else None
        return loss_and_logits if net is None or whole is None else _FusedStep(net, whole)
    if not (has_gpu_compiler() if device_type == "cuda" else has_compiler()):
        lack, cure = missing_compiler(device_type)
        warnings.warn(
            f"{lack}, so trainer.compile=model has no effect (only speed suffers); {cure}",
            NoCompilerWarning,
            stacklevel=2,
        )
        return loss_and_logits
    if device_type == "cuda":
        set_eager_numerics()
    # torch limits the compiled variants of a function: drop those of earlier networks.
    torch.compiler.reset()
    return _CompiledStep()


def is_compiled(step: TrainingStep) -> bool:
    """Whether a step is compiled; hooks in the network would cause a new compilation."""
    return isinstance(step, _CompiledStep)


class _FusedStep:
    def __init__(self, net: nn.Module, whole: nn.Module) -> None:
        self._net, self._fused = net, whole

    def __call__(
        self, net: nn.Module, images: Tensor, labels: Tensor, label_smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        chosen = self._fused if net is self._net else net
        return loss_and_logits(chosen, images, labels, label_smoothing)


class _CompiledStep:
    def __init__(self) -> None:
        self._compiled: TrainingStep = torch.compile(loss_and_logits, dynamic=False)
        self._shape: torch.Size | None = None

    def __call__(
        self, net: nn.Module, images: Tensor, labels: Tensor, label_smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        self._shape = self._shape or images.shape
        step = self._compiled if images.shape == self._shape else loss_and_logits
        return step(net, images, labels, label_smoothing)
