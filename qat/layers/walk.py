"""Find the quantized layers of a network, and their quantizers."""

from collections.abc import Iterator

from torch import nn

from qat.layers.twin import QuantTwin
from qat.quantizers.base import Quantizer

SLOTS = {"weight": "weight_quantizer", "act": "input_quantizer", "output": "output_quantizer"}


def twins(net: nn.Module) -> Iterator[tuple[str, QuantTwin]]:
    """``(name, layer)`` of each quantized layer, in order of definition."""
    for name, module in net.named_modules():
        if isinstance(module, QuantTwin):
            yield name, module


def quantizer_keys(net: nn.Module) -> tuple[str, ...]:
    """What state-dict keys of quantizers begin with, under every name of a shared layer."""
    return tuple(
        f"{name}.{attribute}."
        for name, module in net.named_modules(remove_duplicate=False)
        if isinstance(module, QuantTwin)
        for attribute in SLOTS.values()
    )


def quantizers(net: nn.Module) -> Iterator[tuple[str, str, Quantizer]]:
    """``(layer name, slot, quantizer)``, slot one of ``weight``, ``act``, ``output``.

    Tensors that stay float or are cast to fp16 have no quantizer and do not appear.
    """
    for name, twin in twins(net):
        for slot, attribute in SLOTS.items():
            quantizer = getattr(twin, attribute)
            if isinstance(quantizer, Quantizer):
                yield name, slot, quantizer
