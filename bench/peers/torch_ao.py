"""torch.ao: its fake quantizers on the input and the weight of every layer, 8 bits."""

import torch
from torch import Tensor, nn
from torch.ao.quantization import (
    FusedMovingAvgObsFakeQuantize,
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
)
from torch.ao.quantization._learnable_fake_quantize import _LearnableFakeQuantize
from torch.nn.utils import parametrize

from bench.peers._step import report

WEIGHT = {
    "quant_min": -128,
    "quant_max": 127,
    "dtype": torch.qint8,
    "qscheme": torch.per_channel_symmetric,
    "ch_axis": 0,
}
INPUT = {"quant_min": 0, "quant_max": 255, "dtype": torch.quint8}


def fused(net: nn.Module, images: Tensor) -> nn.Module:
    """Range and fake quantization in one kernel; ranges are moving averages."""
    for layer in _layers(net):
        weight = FusedMovingAvgObsFakeQuantize(MovingAveragePerChannelMinMaxObserver, **WEIGHT)
        act = FusedMovingAvgObsFakeQuantize(MovingAverageMinMaxObserver, **INPUT)
        _attach(layer, weight, act)
    return net.train()


def learnable(net: nn.Module, images: Tensor) -> nn.Module:
    """Step sizes that are trained, after one pass that sets them."""
    quantizers = []
    for layer in _layers(net):
        weight = _LearnableFakeQuantize(
            MovingAveragePerChannelMinMaxObserver,
            channel_len=layer.weight.shape[0],
            use_grad_scaling=True,
            **WEIGHT,
        )
        act = _LearnableFakeQuantize(MovingAverageMinMaxObserver, use_grad_scaling=True, **INPUT)
        _attach(layer, weight, act)
        quantizers += [weight, act]
    for quantizer in quantizers:
        quantizer.enable_static_estimate()
    with torch.no_grad():
        net(images)
    for quantizer in quantizers:
        quantizer.enable_param_learning()
    return net.train()


def _layers(net: nn.Module) -> list[nn.Module]:
    return [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]


def _attach(layer: nn.Module, weight: nn.Module, act: nn.Module) -> None:
    parametrize.register_parametrization(layer, "weight", weight, unsafe=True)
    layer.add_module("input_quantizer", act)
    layer.register_forward_pre_hook(lambda _, args: (act(args[0]),))


if __name__ == "__main__":
    report("torch_ao", "torch", {"fused": fused, "learnable": learnable})
