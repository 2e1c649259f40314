"""The memory format of a network: the order in which its activations and weights lie in memory.

``contiguous`` keeps the pixels of a channel together, ``channels_last`` the channels of a pixel.
Both compute the same sums in another order, so results differ by the rounding of float arithmetic.
"""

import torch
from torch import nn

from qat.base.allowed import one_of
from qat.models.names import MEMORY_FORMATS

_FASTER_ON = ("cpu", "cuda")
_TORCH = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def choose_format(memory_format: str, net: nn.Module, device: torch.device) -> str:
    """The format to use, ``contiguous`` or ``channels_last``.

    Args:
        memory_format: ``auto`` takes ``channels_last`` for a network with two-dimensional
            convolutions on a CPU or an NVIDIA GPU, where it is faster, else ``contiguous``.
        net: The network.
        device: Device that it computes on.

    Raises:
        InputError: If ``memory_format`` is none of the three.

    Example:
        >>> nets, cpu = (nn.Conv2d(3, 8, 3), nn.ReLU()), torch.device("cpu")
        >>> [choose_format("auto", net, cpu) for net in nets]
        ['channels_last', 'contiguous']
    """
    one_of("trainer.memory_format", memory_format, MEMORY_FORMATS)
    if memory_format != "auto":
        return memory_format
    convolves = any(isinstance(module, nn.Conv2d) for module in net.modules())
    return "channels_last" if convolves and device.type in _FASTER_ON else "contiguous"


def in_format(net: nn.Module, memory_format: str, device: torch.device) -> nn.Module:
    """Move a network to a device, with its weights in a memory format.

    Activations follow: a convolution computes in the format of its weight.

    Args:
        net: The network, changed in place.
        memory_format: See :func:`choose_format`.
        device: The device.

    Raises:
        InputError: If ``memory_format`` is unknown.
    """
    chosen = choose_format(memory_format, net, device)
    return net.to(device).to(memory_format=_TORCH[chosen])  # type: ignore[call-overload,no-any-return]


def format_of_network(net: nn.Module) -> str:
    """The format of the weights of a network: ``channels_last`` if one of them has it.

    Example:
        >>> format_of_network(nn.Conv2d(3, 8, 3).to(memory_format=torch.channels_last))
        'channels_last'
    """
    weights = (p for p in net.parameters() if p.ndim == 4 and not p.is_contiguous())
    is_last = any(p.is_contiguous(memory_format=torch.channels_last) for p in weights)
    return "channels_last" if is_last else "contiguous"
