"""Every layer a network calls, in order, with the shapes it sees."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qat.core.evaluation_mode import evaluating

# Layers that hold helpers (a quantized twin holds its quantizers) count as one layer all the same.
_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)


@dataclass(frozen=True)
class LayerCall:
    """One call of one layer.

    Attributes:
        name: Module name.
        kind: Class name.
        input_shape: Of the first input, batch axis included.
        output_shape: Of the output, batch axis included.
        input_min: Smallest value of the first input.
        order: Place in the order of calls, from 0.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_min: float
    order: int


@torch.no_grad()
def layer_calls(net: nn.Module, example: Tensor) -> list[LayerCall]:
    """Run one batch and list the layers called, in evaluation mode.

    A layer used twice appears twice. Training flags are left as they were.

    Args:
        net: Any network, float or quantized.
        example: A batch it accepts, on its device.
    """
    calls: list[LayerCall] = []

    def hook_of(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            if args and isinstance(args[0], Tensor) and isinstance(output, Tensor):
                shapes = tuple(args[0].shape), tuple(output.shape)
                low = float(args[0].min()) if args[0].numel() else 0.0
                calls.append(LayerCall(name, type(module).__name__, *shapes, low, len(calls)))

        return hook

    handles = [m.register_forward_hook(hook_of(name)) for name, m in _leaves(net)]
    try:
        with evaluating(net):
            net(example)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _leaves(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    inside: tuple[str, ...] = ()
    for name, module in net.named_modules():
        if inside and name.startswith(inside):
            continue
        if isinstance(module, _LAYERS):
            inside = (*inside, f"{name}.")
            yield name, module
        elif next(module.children(), None) is None:
            yield name, module
