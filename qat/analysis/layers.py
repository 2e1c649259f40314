"""What quantization did to each tensor of a network, as rows."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from qat.analysis.channels import channel_spread
from qat.analysis.rows import TensorRow
from qat.analysis.sqnr import NoiseSums, noise_sums
from qat.analysis.sums import TensorSums, tensor_sums
from qat.core.evaluation_mode import evaluating
from qat.layers.tensor import QuantTensor
from qat.layers.twin import QuantTwin
from qat.layers.walk import SLOTS, TENSOR, tensors, twins


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


@torch.no_grad()
def tensor_rows(
    net: nn.Module, qnet: nn.Module, images: Tensor | Iterable[Tensor]
) -> list[TensorRow]:
    """Weight, input and output of each quantized layer, in order of definition; tensors behind.

    Args:
        net: The float network, its layers named as those of the other.
        qnet: Its quantized version, calibrated.
        images: Preprocessed, on the device of both; a batch or several. Of each batch the float
            network's outputs are held until the quantized layer has given its own.
    """
    seen = _Seen()
    for batch in [images] if isinstance(images, Tensor) else images:
        seen.add(_one_batch(net, qnet, batch))
    weights = {name: _weight_rows(name, layer) for name, layer in twins(qnet)}
    acts = {
        (name, slot): sums.row(name, slot, quantizer)
        for (name, slot), (sums, quantizer) in seen.tensors.items()
    }
    rows = []
    for name, layer in twins(qnet):
        if name not in seen.outputs:
            continue
        rows += weights[name]
        rows += [acts[name, "act"]] if (name, "act") in acts else []
        rows += [replace(acts[t.plan.name, TENSOR], name=name, slot="act") for t in layer.source]
        rows.append(TensorRow(name, "output", seen.outputs[name].sqnr_db()))
    return [*rows, *(row for (_, slot), row in acts.items() if slot == TENSOR)]


@dataclass(frozen=True)
class _Seen:
    """Sums of what batches showed: inputs and tensors with their quantizer, outputs of layers."""

    tensors: dict[tuple[str, str], tuple[TensorSums, nn.Module]] = field(default_factory=dict)
    outputs: dict[str, NoiseSums] = field(default_factory=dict)

    def add(self, other: "_Seen") -> None:
        """Take in a further batch."""
        for place, (sums, quantizer) in other.tensors.items():
            before = self.tensors.get(place)
            self.tensors[place] = (before[0] + sums if before else sums), quantizer
        for name, noise in other.outputs.items():
            self.outputs[name] = self.outputs[name] + noise if name in self.outputs else noise


def _one_batch(net: nn.Module, qnet: nn.Module, images: Tensor) -> _Seen:
    """Of a layer that is called twice the last call counts, of a tensor the first."""
    names = [name for name, _ in twins(qnet)]
    expected = _outputs(net, names, images)
    seen = _Seen()

    def measure(name: str, layer: QuantTwin | QuantTensor, value: Tensor, output: Tensor) -> None:
        if isinstance(layer, QuantTensor):
            place = layer.plan.name, TENSOR
            if place not in seen.tensors:
                seen.tensors[place] = tensor_sums(value, layer.quantizer), layer.quantizer
            return
        quantizer = getattr(layer, SLOTS["act"])
        if not isinstance(quantizer, nn.Identity):
            seen.tensors[name, "act"] = tensor_sums(value, quantizer), quantizer
        seen.outputs[name] = noise_sums(expected[name], output)

    with hooked(qnet, [*names, *(path for path, _ in tensors(qnet))], measure):
        qnet(images)
    return seen


def _weight_rows(name: str, layer: QuantTwin) -> list[TensorRow]:
    quantizer = getattr(layer, SLOTS["weight"])
    if isinstance(quantizer, nn.Identity):
        return []
    return [weight_row(name, "weight", layer.folded()[0], quantizer)]


@torch.no_grad()
def weight_row(name: str, slot: str, weight: Tensor, quantizer: nn.Module) -> TensorRow:
    """What a quantizer does to a weight, and to its output channels one by one."""
    spread = channel_spread(weight, quantizer(weight))
    return replace(
        tensor_row(name, slot, weight, quantizer),
        worst_channel_db=spread.worst_db,
        channel_range_ratio=spread.range_ratio,
        dead_channels=spread.dead,
    )


@torch.no_grad()
def tensor_row(name: str, slot: str, x: Tensor, quantizer: nn.Module) -> TensorRow:
    """What a quantizer does to a tensor.

    A cast to fp16, and a range that is taken anew from each input, have an SQNR alone.
    """
    return tensor_sums(x, quantizer).row(name, slot, quantizer)


def layer_sqnr(net: nn.Module, qnet: nn.Module, images: Tensor) -> list[LayerSQNR]:
    """SQNR of each quantized layer's weight, input and output; see :func:`tensor_rows`."""
    return by_layer(tensor_rows(net, qnet, images))


def by_layer(rows: Iterable[TensorRow]) -> list[LayerSQNR]:
    """The SQNR of each layer's tensors side by side."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.slot != TENSOR:
            found.setdefault(row.name, {})[row.slot] = row.sqnr_db
    return [
        LayerSQNR(name, slots.get("weight"), slots.get("act"), slots["output"])
        for name, slots in found.items()
    ]


def _outputs(net: nn.Module, names: list[str], images: Tensor) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, value: Tensor, output: Tensor) -> None:
        found[name] = output

    with hooked(net, names, keep):
        net(images)
    return found


@contextmanager
def hooked(net: nn.Module, names: list[str], act: Callable[..., None]) -> Iterator[None]:
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
