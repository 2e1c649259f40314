"""The part of a training step that may be compiled: forward and loss."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.core.kernels import NoCompilerWarning, has_compiler

TrainingStep = Callable[[nn.Module, Tensor, Tensor, float], tuple[Tensor, Tensor]]


def loss_and_logits(
    net: nn.Module, images: Tensor, labels: Tensor, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Mean cross entropy of a batch, and its logits ``(batch, classes)``."""
    logits = net(images)
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing), logits


def make_step(compile: str) -> TrainingStep:
    """:func:`loss_and_logits`, for ``model`` compiled with its backward.

    One batch shape is compiled, the first that comes; a last batch that is smaller runs
    uncompiled, since a second compilation costs more than it. Without a compiler the plain step
    is returned, with one notice. Network and state dict stay as they are.
    """
    if compile == "none":
        return loss_and_logits
    if not has_compiler():
        warnings.warn(
            "no C++ compiler found, so trainer.compile=model has no effect "
            "(only speed suffers); install g++ or clang++",
            NoCompilerWarning,
            stacklevel=2,
        )
        return loss_and_logits
    # Compiled code is kept per function and limited in number: networks of earlier runs are done.
    torch.compiler.reset()
    return _CompiledStep()


def is_compiled(step: TrainingStep) -> bool:
    """True for a step that compiles: what hooks into the network would compile it anew."""
    return isinstance(step, _CompiledStep)


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
