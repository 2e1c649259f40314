"""Iterate over the quantized layers of a network, and their quantizers."""

from collections.abc import Iterator

from torch import nn

from qat.layers.tensor import QuantTensor
from qat.layers.twin import QuantTwin
from qat.quantizers.base import Quantizer

SLOTS = {"weight": "weight_quantizer", "act": "input_quantizer", "output": "output_quantizer"}
TENSOR = "tensor"
"""Slot of a tensor between layers."""


def twins(net: nn.Module) -> Iterator[tuple[str, QuantTwin]]:
    """``(name, layer)`` of each quantized layer, in order of definition."""
    for name, module in net.named_modules():
        if isinstance(module, QuantTwin):
            yield name, module


def tensors(net: nn.Module) -> Iterator[tuple[str, QuantTensor]]:
    """``(module path, tensor)`` of each quantized tensor between layers, in order of definition."""
    for path, module in net.named_modules():
        if isinstance(module, QuantTensor):
            yield path, module


def quantizer_keys(net: nn.Module) -> tuple[str, ...]:
    """Prefixes of the state-dict keys of quantizers, under every name of a shared layer."""
    twins_keys = (
        f"{name}.{attribute}."
        for name, module in net.named_modules(remove_duplicate=False)
        if isinstance(module, QuantTwin)
        for attribute in SLOTS.values()
    )
    return (*twins_keys, *(f"{path}." for path, _ in tensors(net)))


def quantizers(net: nn.Module) -> Iterator[tuple[str, str, Quantizer]]:
    """``(name, slot, quantizer)``, slot one of ``weight``, ``act``, ``output``, ``tensor``.

    The name is that of a layer, or of a tensor between layers. Tensors that stay float or are cast
    to fp16 have no quantizer and are left out.
    """
    for _, name, slot, quantizer in placed_quantizers(net):
        yield name, slot, quantizer


def placed_quantizers(net: nn.Module) -> Iterator[tuple[str, str, str, Quantizer]]:
    """As :func:`quantizers`, preceded by the module path of each quantizer."""
    for name, twin in twins(net):
        for slot, attribute in SLOTS.items():
            quantizer = getattr(twin, attribute)
            if isinstance(quantizer, Quantizer):
                yield f"{name}.{attribute}", name, slot, quantizer
    for path, tensor in tensors(net):
        if isinstance(tensor.quantizer, Quantizer):
            yield f"{path}.quantizer", tensor.plan.name, TENSOR, tensor.quantizer
