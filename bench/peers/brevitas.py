"""Brevitas: convolutions and linear layers replaced by its own, 8 bits, gathering statistics."""

import brevitas.nn as qnn
from brevitas.quant import Int8ActPerTensorFloat, Int8WeightPerChannelFloat
from torch import Tensor, nn

from bench.peers._step import report

QUANTIZERS = {"weight_quant": Int8WeightPerChannelFloat, "input_quant": Int8ActPerTensorFloat}


def int8(net: nn.Module, images: Tensor) -> nn.Module:
    """Weights per channel, inputs of layers per tensor."""
    for name, layer in list(net.named_modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            parent, _, child = name.rpartition(".")
            setattr(net.get_submodule(parent), child, _quantized(layer))
    return net.train()


def _quantized(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    if isinstance(layer, nn.Linear):
        new = qnn.QuantLinear(layer.in_features, layer.out_features, bias=True, **QUANTIZERS)
    else:
        new = qnn.QuantConv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            bias=layer.bias is not None,
            **QUANTIZERS,
        )
    new.load_state_dict(layer.state_dict(), strict=False)
    return new


if __name__ == "__main__":
    report("brevitas", "brevitas", {"int8": int8})
