"""What one quantized layer costs by itself: it reads the float network's tensors.

The SQNR of an output in the quantized network holds the errors of all layers before it. Here each
layer is quantized alone, so that the layer that does the damage is told from those that inherit it.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from qat.analysis.layers import hooked
from qat.analysis.rows import TensorRow
from qat.analysis.sqnr import sqnr_db
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins


def with_alone(
    rows: list[TensorRow], net: nn.Module, qnet: nn.Module, images: Tensor
) -> list[TensorRow]:
    """The rows of a network, those of outputs with ``alone_db``; see :func:`alone_decibels`."""
    decibels = alone_decibels(net, qnet, images)
    return [
        replace(row, alone_db=decibels.get(row.name)) if row.slot == "output" else row
        for row in rows
    ]


@torch.no_grad()
def alone_decibels(net: nn.Module, qnet: nn.Module, images: Tensor) -> dict[str, float]:
    """Layer → SQNR in dB of its output if no other layer is quantized.

    A layer is held against itself without quantizers, so that what training changed in its weights
    does not count. Of a layer that is called more than once the lowest value stands.

    Args:
        net: The float network, its layers named as those of the other.
        qnet: Its quantized version, calibrated, in evaluation mode.
        images: Preprocessed, on the device of both.
    """
    layers = dict(twins(qnet))
    decibels: dict[str, float] = {}

    def compare(name: str, module: nn.Module, value: Tensor, output: Tensor) -> None:
        layer = layers[name]
        alone = sqnr_db(_unquantized(layer, value), layer(_read(layer, value)))
        decibels[name] = min(alone, decibels.get(name, alone))

    with hooked(net, list(layers), compare):
        net(images)
    return decibels


def _unquantized(layer: QuantTwin, value: Tensor) -> Tensor:
    return layer.to_float().to(value.device)(value)  # type: ignore[no-any-return]


def _read(layer: QuantTwin, value: Tensor) -> Tensor:
    """The input as the layer reads it: where tensors have codes, rounded to them before."""
    return layer.source[0].quantizer(value) if layer.source else value  # type: ignore[no-any-return]
