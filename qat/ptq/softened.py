"""A part of a network while its roundings are learned, and what is written back afterwards."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn

from qat.base.errors import InputError
from qat.layers.tensor import QuantTensor
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins
from qat.ptq.held import hold, quantized_weight
from qat.ptq.learned_step import LearnedStep
from qat.ptq.soft_rounding import SoftRounding
from qat.quantizers.base import Quantizer


def check_uniform(qnet: nn.Module) -> None:
    """Check, before any work, that the rounding of every weight can be learned.

    Args:
        qnet: The calibrated quantized network.

    Raises:
        InputError: If the grid of a weight is not uniform; the message names the layer.
    """
    for name, layer in twins(qnet):
        quantizer = quantized_weight(layer)
        if quantizer is not None and quantizer.codebook() is not None:
            raise InputError(
                f"layer {name!r}: roundings are learned on uniform grids, and "
                f"{quantizer.spec.quantizer.name} has a codebook: use "
                "quantizer@scheme.weight=minmax, or ptq=[fold,nearest]"
            )


@dataclass
class Softened:
    """What stands for the quantizers of a part of a network.

    Attributes:
        roundings: Quantized layer → its soft rounding.
        steps: Module and attribute of an activation's quantizer → what learns its step.
    """

    roundings: dict[QuantTwin, SoftRounding] = field(default_factory=dict)
    steps: dict[tuple[nn.Module, str], LearnedStep] = field(default_factory=dict)

    def draw_from(self, generator: torch.Generator) -> None:
        """Set the random numbers of an iteration."""
        for step in self.steps.values():
            step.generator = generator


@contextmanager
def softened(
    part: Iterable[nn.Module],
    layers: Iterable[QuantTwin],
    *,
    learns_steps: bool = False,
    drop: float = 0.0,
) -> Iterator[Softened]:
    """Replace quantizers inside the block; afterwards write the result into the network.

    The weights' codes are held (:mod:`qat.ptq.held`), and quantizers of activations get the learned
    steps. If the block raises an error, the network is as before.

    Args:
        part: The quantized layers and tensors of a part of the network.
        layers: Those layers among them whose rounding is learned.
        learns_steps: Whether steps of activations are learned too. Otherwise outputs are not
            rounded while the rounding of the weights is learned.
        drop: Probability that an activation's element passes unrounded.

    """
    soft = Softened()
    stand_ins: dict[tuple[nn.Module, str], nn.Module] = {}
    for layer in layers:
        soft.roundings[layer] = stand_ins[layer, "weight_quantizer"] = _rounding_of(layer)
    for module, attribute, quantizer in _activations(part):
        if learns_steps:
            step = soft.steps[module, attribute] = LearnedStep(quantizer, drop)
            stand_ins[module, attribute] = step
        elif attribute == "output_quantizer":
            stand_ins[module, attribute] = nn.Identity()
    before = {place: getattr(*place) for place in stand_ins}
    try:
        _place(stand_ins)
        yield soft
    finally:
        _place(before)
    _write(soft)


def _place(modules: Mapping[tuple[nn.Module, str], nn.Module]) -> None:
    for (owner, attribute), module in modules.items():
        setattr(owner, attribute, module)


@torch.no_grad()
def _write(soft: Softened) -> None:
    for layer, rounding in soft.roundings.items():
        hold(layer, rounding.codes())
    for (owner, attribute), step in soft.steps.items():
        own = step.qparams()
        getattr(owner, attribute).set_qparams(own.scale, own.zero_point)


def _rounding_of(layer: QuantTwin) -> SoftRounding:
    quantizer: Quantizer = layer.weight_quantizer  # type: ignore[assignment]
    return SoftRounding(layer.folded()[0], quantizer.qparams())


def _activations(part: Iterable[nn.Module]) -> Iterator[tuple[nn.Module, str, Quantizer]]:
    """Module, attribute and quantizer of activations that have a step."""
    for module in part:
        is_tensor = isinstance(module, QuantTensor)
        for name in ("quantizer",) if is_tensor else ("input_quantizer", "output_quantizer"):
            quantizer = getattr(module, name, None)
            if not isinstance(quantizer, Quantizer) or not quantizer.is_rounding:
                continue
            if quantizer.codebook() is None:
                yield module, name, quantizer
