"""The tensors of a network, each of them once, and copies that share the large ones."""

import copy
from typing import TypeVar

from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


def own_state(net: nn.Module) -> dict[str, Tensor]:
    """The state dict without aliases: a layer that is used under two names is stored once.

    ``load_state_dict(..., strict=False)`` then sets every tensor of an equal network.
    """
    names = {name for name, _ in net.named_parameters()} | {name for name, _ in net.named_buffers()}
    return {key: tensor for key, tensor in net.state_dict().items() if key in names}


def cpu_copy(net: Net) -> Net:
    """Return a copy on the CPU; weights that are there already are shared, not copied.

    Everything else (modes, hooks, buffers, scales) is the copy's own. Do not change its weights.

    Example:
        >>> net = nn.Linear(2, 3)
        >>> copied = cpu_copy(net)
        >>> copied is net, copied.weight is net.weight, copied.bias is net.bias
        (False, True, False)
    """
    shared = {
        id(parameter): parameter
        for name, parameter in net.named_parameters()
        if name.rpartition(".")[2] == "weight" and parameter.device.type == "cpu"
    }
    return copy.deepcopy(net, dict(shared)).cpu()
