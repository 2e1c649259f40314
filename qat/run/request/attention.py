"""Networks with attention are refused by name where their products would stay float."""

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.graph.products import products


def check_attention(net: nn.Module, example: Tensor, name: str) -> None:
    """Refuse a network that multiplies activations with activations, as attention does.

    Args:
        net: A float network.
        example: A batch that it accepts; the first image is run.
        name: Of the network, for the message.

    Raises:
        InputError: If it does; the message names the module.

    Example:
        >>> import torch
        >>> check_attention(nn.Conv2d(3, 8, 1), torch.zeros(1, 3, 4, 4), "my_net")
    """
    for product in products(net, example[:1]):
        if not product.layer and not product.parameter:
            where = product.scope or "its forward"
            raise InputError(
                f"model.name={name} has attention (a product of two activations in {where}), which "
                "is not quantized yet: use a network of convolutions, such as resnet18, or "
                "mode=float"
            )
