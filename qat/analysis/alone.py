"""The error of each quantized layer by itself: every layer reads the float network's tensors.

In the quantized network, the signal-to-quantization-noise ratio (SQNR) of an output contains the
errors of all earlier layers. Here each layer is quantized alone, which separates the layers that
make errors from the layers that only pass them on.
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
    """Return the rows of a network with ``alone_db`` in the rows of outputs.

    Args:
        rows: Rows of :func:`qat.analysis.layers.tensor_rows`.
        net: The float network, with the same layer names as ``qnet``.
        qnet: Its quantized version, calibrated, in evaluation mode.
        images: Preprocessed images, on the device of both networks; a batch or several.

    Raises:
        ValueError: If an output holds NaN or infinity.
    """
    decibels = alone_decibels(net, qnet, images)
    return [
        replace(row, alone_db=decibels.get(row.name)) if row.slot == "output" else row
        for row in rows
    ]


@torch.no_grad()
def alone_decibels(
    net: nn.Module, qnet: nn.Module, images: Tensor | Iterable[Tensor]
) -> dict[str, float]:
    """Return the SQNR of each layer's output if no other layer is quantized.

    The reference of a layer is the same layer without quantizers, so that changes of its weights
    in training do not count. A layer that is called more than once has the lowest of its values.

    Args:
        net: The float network, with the same layer names as ``qnet``.
        qnet: Its quantized version, calibrated, in evaluation mode.
        images: Preprocessed images, on the device of both networks; a batch or several.

    Returns:
        Layer name → SQNR in dB.

    Raises:
        ValueError: If an output holds NaN or infinity.
    """
    layers = dict(twins(qnet))
    sums: dict[tuple[str, int], NoiseSums] = {}  # layer, number of its call in a forward pass
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
    """Return the input as the layer reads it, rounded if a quantizer between layers does so."""
    return layer.source[0].quantizer(value) if layer.source else value  # type: ignore[no-any-return]
