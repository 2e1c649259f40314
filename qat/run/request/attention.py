"""Networks with attention are refused by name where their products would stay float."""

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.graph.products import products

LIBRARIES = ("timm", "torchvision")
"""Sources of networks that are refused."""
_LAYERS = (
    *("MultiheadAttention", "ShiftedWindowAttention", "ShiftedWindowAttentionV2"),
    "RelativePositionalMultiHeadAttention",
)
"""Classes of torch and torchvision."""


def check_attention_layers(net: nn.Module, name: str) -> None:
    """Refuse a network with a layer of attention of torch or torchvision; runs no image.

    Args:
        net: A float network.
        name: Of the network, for the message.

    Raises:
        InputError: If it has one; the message names the module.
    """
    for where, module in net.named_modules():
        classes = [c for c in type(module).__mro__ if c.__module__.startswith("torch")]
        if any(c.__name__ in _LAYERS for c in classes):
            raise _refusal(name, where)


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
            raise _refusal(name, product.scope)


def _refusal(name: str, where: str) -> InputError:
    return InputError(
        f"model.name={name} has attention (a product of two activations in "
        f"{where or 'its forward'}), which is not quantized yet: use a network of convolutions, "
        "such as resnet18, or mode=float"
    )
