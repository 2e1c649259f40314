"""The tensors of a network, each once."""

from torch import Tensor, nn


def own_state(net: nn.Module) -> dict[str, Tensor]:
    """The state dict without second names: a layer used under two names is stored once.

    Loading it with ``strict=False`` sets every tensor of a network of the same architecture.
    """
    names = {name for name, _ in net.named_parameters()} | {name for name, _ in net.named_buffers()}
    return {key: tensor for key, tensor in net.state_dict().items() if key in names}
