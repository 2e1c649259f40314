"""The phases of a quantized network: observe, quantize, off."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from qat.core.evaluating import evaluating
from qat.layers.walk import quantizers, twins
from qat.quantizers.base import PHASES, Quantizer
from qat.quantizers.cast import CastQuantizer

Track = Callable[[Iterable[Any]], Iterable[Any]]


def set_phase(net: nn.Module, phase: str) -> None:
    """Switch every quantizer of a network to ``observe``, ``quantize`` or ``off``.

    Raises:
        ValueError: If the phase is none of these.
    """
    if phase not in PHASES:
        raise ValueError(f"phase must be one of {', '.join(PHASES)}, got {phase!r}")
    for module in net.modules():
        if isinstance(module, Quantizer | CastQuantizer):
            module.set_phase(phase)


def freeze_observers(net: nn.Module, frozen: bool = True) -> None:
    """Hold all ranges as they are while the network goes on training; or let them follow again."""
    for _, _, quantizer in quantizers(net):
        quantizer.frozen = frozen


@torch.no_grad()
def calibrate(net: nn.Module, batches: Iterable[Any], track: Track | None = None) -> None:
    """Fix every range from data, in evaluation mode; ends in phase ``quantize``.

    Activations are observed as the float network has them; each weight is observed once. What was
    observed before is forgotten.

    Args:
        net: A quantized network.
        batches: Image tensors, or tuples that begin with one, on the network's device.
        track: Wraps the batches to show progress.

    Raises:
        ValueError: If there are no batches, or values are NaN or infinite; the layer is named.
    """
    for _, _, quantizer in quantizers(net):
        quantizer.observer.reset()
    set_phase(net, "observe")
    for _, slot, quantizer in quantizers(net):
        if slot == "weight":
            quantizer.set_phase("off")
    with evaluating(net):
        count = 0
        for batch in track(batches) if track else batches:
            net(batch if isinstance(batch, Tensor) else batch[0])
            count += 1
    if not count:
        raise ValueError("calibration got no batches: set calibrate.images to 1 or more")
    _observe_weights(net)
    set_phase(net, "quantize")


def _observe_weights(net: nn.Module) -> None:
    for _, twin in twins(net):
        if isinstance(twin.weight_quantizer, Quantizer):
            twin.weight_quantizer.set_phase("observe")
            twin.weight_quantizer(twin.weight)
