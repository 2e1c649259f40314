"""Second moments of the inputs of a layer, summed batch by batch.

A convolution multiplies its weight matrix with the patches of its input: each place of the output
is a row ``x`` of ``k`` values (:mod:`qat.ptq.weight_grid`). With ``X`` the rows of the float
network and ``X~`` those of the quantized network, the methods need only

    H = X~^T X~        G = X~^T X        both (groups, k, k), divided by the number of rows

because the square error of the layer's output is a quadratic form of them.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.base.errors import InputError


def patches(layer: nn.Module, x: Tensor) -> Tensor:
    """The rows that a layer multiplies with its weight, ``(groups, rows, k)``.

    Args:
        layer: A linear layer or a convolution of one or two dimensions.
        x: Its input.

    Example:
        >>> patches(nn.Conv1d(1, 1, 2), torch.tensor([[[1.0, 2.0, 3.0]]])).tolist()
        [[[1.0, 2.0], [2.0, 3.0]]]
    """
    own: Any = layer
    if isinstance(layer, nn.Linear):
        return x.reshape(1, -1, x.shape[-1])
    terms = own.kernel_size, own.dilation, own.stride
    padded = _padded(own, x)
    if isinstance(layer, nn.Conv1d):  # as an image of height 1
        padded, terms = padded.unsqueeze(2), tuple((1, *each) for each in terms)  # type: ignore[assignment]
    kernel, dilation, stride = terms
    columns = F.unfold(padded, kernel, dilation, 0, stride)  # (batch, groups * k, places)
    split = columns.reshape(len(x), own.groups, -1, columns.shape[-1])
    return split.permute(1, 0, 3, 2).reshape(own.groups, -1, split.shape[2])


def second_moment(layer: nn.Module, inputs: Iterable[Tensor]) -> Tensor:
    """``H`` of the inputs, ``(groups, k, k)``, double.

    Args:
        layer: The layer.
        inputs: Its input, batch by batch.

    Example:
        >>> second_moment(nn.Linear(2, 1), [torch.tensor([[1.0, 2.0], [3.0, 0.0]])]).tolist()
        [[[5.0, 1.0], [1.0, 2.0]]]
    """
    return moments(layer, ((x, None) for x in inputs))[0]


def moments(
    layer: nn.Module, inputs: Iterable[tuple[Tensor, Tensor | None]]
) -> tuple[Tensor, Tensor]:
    """``(H, G)``, each ``(groups, k, k)``, double.

    Products are computed in the precision of the inputs, and summed in double.

    Args:
        layer: The layer.
        inputs: Its input in the quantized and in the float network, batch by batch; None stands
            for an equal input, so that ``G = H``.

    Raises:
        InputError: If inputs contain NaN or infinity.
    """
    rows, own, cross = 0, torch.zeros(()), torch.zeros(())
    for x, float_x in inputs:
        left = patches(layer, x.detach())
        own = own.to(left.device) + (left.mT @ left).double()
        if float_x is not None:
            right = patches(layer, float_x.detach())
            cross = cross.to(left.device) + (left.mT @ right).double()
        rows += left.shape[1]
    own, cross = own / max(rows, 1), cross / max(rows, 1)
    if not bool(torch.isfinite(own).all() & torch.isfinite(cross).all()):
        raise InputError(
            "inputs of a layer contain NaN or infinity: check the images and the float weights"
        )
    return own, cross if cross.ndim else own


def _padded(layer: Any, x: Tensor) -> Tensor:
    """The input with the padding that the convolution adds itself."""
    amounts: list[int] = list(layer._reversed_padding_repeated_twice)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    return F.pad(x, amounts, mode=mode) if any(amounts) else x
