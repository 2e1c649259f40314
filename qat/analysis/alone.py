"""What one quantized layer costs by itself: it reads the float network's tensors.

The SQNR of an output in the quantized network holds the errors of all layers before it. Here each
layer is quantized alone, so that the layer that does the damage is told from those that inherit it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from qat.analysis.layers import hooked
from qat.analysis.rows import TensorRow
from qat.analysis.sqnr import NoiseSums, noise_sums
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins


def with_alone(
    rows: list[TensorRow], net: nn.Module, qnet: nn.Module, images: Tensor | Iterable[Tensor]
) -> list[TensorRow]:
    """The rows of a network, those of outputs with ``alone_db``; see :func:`alone_decibels`."""
    decibels = alone_decibels(net, qnet, images)
    return [
        replace(row, alone_db=decibels.get(row.name)) if row.slot == "output" else row
        for row in rows
    ]


@torch.no_grad()
def alone_decibels(
    net: nn.Module, qnet: nn.Module, images: Tensor | Iterable[Tensor]
) -> dict[str, float]:
    """Layer → SQNR in dB of its output if no other layer is quantized.

    A layer is held against itself without quantizers, so that what training changed in its weights
    does not count. Of a layer that is called more than once the lowest value stands.

    Args:
        net: The float network, its layers named as those of the other.
        qnet: Its quantized version, calibrated, in evaluation mode.
        images: Preprocessed, on the device of both; a batch or several.
    """
    layers = dict(twins(qnet))
    sums: dict[tuple[str, int], NoiseSums] = {}  # of each call of a layer in a forward
    calls: Counter[str] = Counter()

    def compare(name: str, module: nn.Module, value: Tensor, output: Tensor) -> None:
        layer = layers[name]
        alone = noise_sums(_unquantized(layer, value), layer(_read(layer, value)))
        place = name, calls[name]
        sums[place] = sums[place] + alone if place in sums else alone
        calls[name] += 1

    with hooked(net, list(layers), compare):
        for batch in [images] if isinstance(images, Tensor) else images:
            calls.clear()
            net(batch)
    decibels: dict[str, float] = {}
    for (name, _), noise in sums.items():
        decibels[name] = min(noise.sqnr_db(), decibels.get(name, float("inf")))
    return decibels


def _unquantized(layer: QuantTwin, value: Tensor) -> Tensor:
    return layer.to_float().to(value.device)(value)  # type: ignore[no-any-return]


def _read(layer: QuantTwin, value: Tensor) -> Tensor:
    """The input as the layer reads it: where tensors have codes, rounded to them before."""
    return layer.source[0].quantizer(value) if layer.source else value  # type: ignore[no-any-return]
