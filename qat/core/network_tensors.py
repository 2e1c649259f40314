"""The tensors of a network, each of them once."""

from torch import Tensor, nn


def own_state(net: nn.Module) -> dict[str, Tensor]:
    """The state dict without aliases: a layer that is used under two names is stored once.

    ``load_state_dict(..., strict=False)`` then sets every tensor of an equal network.
    """
    names = {name for name, _ in net.named_parameters()} | {name for name, _ in net.named_buffers()}
    return {key: tensor for key, tensor in net.state_dict().items() if key in names}
