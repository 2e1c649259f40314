"""Every layer that a network calls, in order, with its shapes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qat.core.evaluation_mode import evaluating

# A layer with submodules, such as a quantized layer with its quantizers, counts as one layer.
_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)


@dataclass(frozen=True)
class LayerCall:
    """One call of one layer.

    Attributes:
        name: Module name.
        kind: Class name.
        input_shape: Shape of the first input, batch axis included.
        output_shape: Shape of the output, batch axis included.
        input_min: Smallest value of the first input; 0 if it is empty.
        order: Position in the order of calls, from 0.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_min: float
    order: int


@torch.no_grad()
def layer_calls(net: nn.Module, example: Tensor) -> list[LayerCall]:
    """Run one batch in evaluation mode and list the layers that it calls.

    A layer that is called twice appears twice. The mode of every module is restored afterwards.

    Args:
        net: Any network, float or quantized.
        example: A batch that the network accepts, on its device.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5))
        >>> [(c.name, c.output_shape) for c in layer_calls(net, torch.zeros(2, 3, 2, 2))]
        [('0', (2, 12)), ('1', (2, 5))]
    """
    calls: list[LayerCall] = []

    def hook_of(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            if args and isinstance(args[0], Tensor) and isinstance(output, Tensor):
                shapes = tuple(args[0].shape), tuple(output.shape)
                low = float(args[0].amin()) if args[0].numel() else 0.0
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
    """Yield name and module of each layer, and of each other module without children."""
    inside: tuple[str, ...] = ()
    for name, module in net.named_modules():
        if inside and name.startswith(inside):
            continue
        if isinstance(module, _LAYERS):
            inside = (*inside, f"{name}.")
            yield name, module
        elif next(module.children(), None) is None:
            yield name, module
