"""Signal-to-quantization-noise ratio, of a tensor and layer by layer.

SQNR = 10 log10( sum r^2 / sum (r - r')^2 )  dB
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qat.core.evaluating import evaluating
from qat.layers.walk import SLOTS, twins


@dataclass(frozen=True)
class LayerSQNR:
    """What quantization left of one layer's tensors, in dB; None for a tensor left alone.

    Attributes:
        name: Module name.
        weight_db: Of the weight.
        act_db: Of the input, over the batch given.
        output_db: Of the output against the float network's, so with all errors from before.
    """

    name: str
    weight_db: float | None
    act_db: float | None
    output_db: float


def sqnr_db(reference: Tensor, approximation: Tensor) -> float:
    """SQNR in dB; infinite where the two are equal, minus infinite where only noise is left.

    Raises:
        ValueError: If shapes differ, or values are NaN or infinite.
    """
    if reference.shape != approximation.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {approximation.shape}")
    signal = reference.double().square().sum()
    noise = (reference.double() - approximation.double()).square().sum()
    if not bool(torch.isfinite(signal) & torch.isfinite(noise)):
        raise ValueError("no SQNR of tensors that hold NaN or infinity: the network diverged")
    if noise == 0:
        return float("inf")
    return float(10 * torch.log10(signal / noise))


@torch.no_grad()
def layer_sqnr(net: nn.Module, qnet: nn.Module, images: Tensor) -> list[LayerSQNR]:
    """SQNR of each quantized layer's weight, input and output on a batch of images.

    Args:
        net: The float network.
        qnet: Its quantized version, calibrated.
        images: Preprocessed, on the device of both.
    """
    rows: dict[str, LayerSQNR] = {}
    names = [name for name, _ in twins(qnet)]
    expected = _outputs(net, names, images)

    def measure(name: str, twin: nn.Module, value: Tensor, output: Tensor) -> None:
        rows[name] = LayerSQNR(
            name=name,
            weight_db=_through(twin, "weight", twin.weight),  # type: ignore[arg-type]
            act_db=_through(twin, "act", value),
            output_db=sqnr_db(expected[name], output),
        )

    with _hooked(qnet, names, measure):
        qnet(images)
    return [rows[name] for name in names if name in rows]


def _through(twin: nn.Module, slot: str, value: Tensor) -> float | None:
    quantizer = getattr(twin, SLOTS[slot])
    if isinstance(quantizer, nn.Identity):
        return None
    return sqnr_db(value, quantizer(value))


def _outputs(net: nn.Module, names: list[str], images: Tensor) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, value: Tensor, output: Tensor) -> None:
        found[name] = output

    with _hooked(net, names, keep):
        net(images)
    return found


@contextmanager
def _hooked(net: nn.Module, names: list[str], act: Callable[..., None]) -> Iterator[None]:
    """Call ``act(name, module, first input, output)`` behind each layer, in evaluation mode."""

    def hook_of(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
            act(name, module, args[0], output)

        return hook

    handles = [net.get_submodule(name).register_forward_hook(hook_of(name)) for name in names]
    try:
        with evaluating(net):
            yield
    finally:
        for handle in handles:
            handle.remove()
