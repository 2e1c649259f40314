"""The kernel that the quantized training of a run uses."""

import torch
from torch import nn

from qat.core.kernels import choose_kernel
from qat.graph.shapes import layer_calls
from qat.run.prepared import Prepared


def chosen_kernel(prepared: Prepared, net: nn.Module) -> str:
    """The kernel of quantized training: ``eager``, or ``compiled`` if compiling saves time.

    Args:
        prepared: The run; without a quantized training its kernel is ``eager``.
        net: The float or the quantized network: both have the same layers.
    """
    if prepared.training is None:
        return "eager"
    images = len(prepared.data.training) * prepared.training.fit.max_epochs
    example = prepared.images.example()
    elements = _activations(net, example) / len(example) * images
    return choose_kernel(prepared.kernel, elements, prepared.device.type)


def _activations(net: nn.Module, example: torch.Tensor) -> int:
    """Number of elements in the inputs of all quantizable layers, for the example batch."""
    return sum(
        torch.Size(call.input_shape).numel()
        for call in layer_calls(net, example)
        if call.kind.removeprefix("Quant") in ("Conv1d", "Conv2d", "Linear")
    )
