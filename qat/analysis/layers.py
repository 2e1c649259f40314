"""Quantization error of each tensor of a network, as rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
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
    """Signal-to-quantization-noise ratios (SQNR) of one layer's tensors, in dB.

    Attributes:
        name: Module name.
        weight_db: SQNR of the weight; None if it is float.
        act_db: SQNR of the input, over all images; None if it is float.
        output_db: SQNR of the output against the float network's output, which contains the
            errors of all earlier layers.

    Example:
        >>> LayerSQNR("fc", weight_db=20.0, act_db=None, output_db=19.5).output_db
        19.5
    """

    name: str
    weight_db: float | None
    act_db: float | None
    output_db: float


@torch.no_grad()
def tensor_rows(
    net: nn.Module,
    qnet: nn.Module,
    images: Tensor | Iterable[Tensor],
    memory_limit_bytes: int | None = None,
) -> list[TensorRow]:
    """Return rows for weight, input and output of each quantized layer, in order of definition.

    The tensors between layers of an integer network follow.

    Args:
        net: The float network, with the same layer names as ``qnet``.
        qnet: Its quantized version, calibrated.
        images: Preprocessed images, on the device of both networks; a batch or several.
        memory_limit_bytes: How much of the float network's outputs may be kept at once, for one
            batch. Further layers need another forward pass of both networks; the rows are the same.
            None for no limit.

    Raises:
        ValueError: If a tensor holds NaN or infinity.
    """
    measured = _BatchSums()
    for batch in [images] if isinstance(images, Tensor) else images:
        measured.add(_one_batch(net, qnet, batch, memory_limit_bytes))
    weights = {name: _weight_rows(name, layer) for name, layer in twins(qnet)}
    acts = {
        (name, slot): sums.row(name, slot, quantizer)
        for (name, slot), (sums, quantizer) in measured.tensors.items()
    }
    rows = []
    for name, layer in twins(qnet):
        if name not in measured.outputs:
            continue
        rows += weights[name]
        rows += [acts[name, "act"]] if (name, "act") in acts else []
        rows += [replace(acts[t.plan.name, TENSOR], name=name, slot="act") for t in layer.source]
        rows.append(TensorRow(name, "output", measured.outputs[name].sqnr_db()))
    return [*rows, *(row for (_, slot), row in acts.items() if slot == TENSOR)]


@dataclass(frozen=True)
class _BatchSums:
    """Sums over batches.

    Attributes:
        tensors: Name and slot → sums of an input or a tensor, and its quantizer.
        outputs: Layer name → sums of its output.
    """

    tensors: dict[tuple[str, str], tuple[TensorSums, nn.Module]] = field(default_factory=dict)
    outputs: dict[str, NoiseSums] = field(default_factory=dict)

    def add(self, other: "_BatchSums") -> None:
        """Add the sums of a further batch."""
        for place, (sums, quantizer) in other.tensors.items():
            before = self.tensors.get(place)
            self.tensors[place] = (before[0] + sums if before else sums), quantizer
        for name, noise in other.outputs.items():
            self.outputs[name] = self.outputs[name] + noise if name in self.outputs else noise


def _one_batch(
    net: nn.Module, qnet: nn.Module, images: Tensor, limit_bytes: int | None
) -> _BatchSums:
    """Return the sums of one batch.

    If a layer is called twice, its last call counts; of a tensor the first.
    """
    measured = _BatchSums()
    left = [name for name, _ in twins(qnet)]
    inputs = [*left, *(path for path, _ in tensors(qnet))]
    while True:
        expected = _outputs(net, left, images, limit_bytes)
        _compare(qnet, images, expected, inputs, measured)
        left, inputs = [name for name in left if name not in expected], []
        if not left or not expected:  # the network does not call the layers that are left
            return measured


def _compare(
    qnet: nn.Module,
    images: Tensor,
    expected: Mapping[str, Tensor],
    inputs: Iterable[str],
    measured: _BatchSums,
) -> None:
    """Run the quantized network once, and add the sums of some of its tensors.

    Args:
        qnet: The quantized network.
        images: One batch.
        expected: Layer → output of the float network.
        inputs: Layers and tensors whose inputs are measured.
        measured: Receives the sums.
    """
    with_input = set(inputs)

    def measure(name: str, layer: QuantTwin | QuantTensor, value: Tensor, output: Tensor) -> None:
        if name in with_input:
            _add_input(measured, name, layer, value)
        if name in expected:
            measured.outputs[name] = noise_sums(expected[name], output)

    with hooked(qnet, sorted(with_input | expected.keys()), measure):
        qnet(images)


def _add_input(
    measured: _BatchSums, name: str, layer: QuantTwin | QuantTensor, value: Tensor
) -> None:
    if isinstance(layer, QuantTensor):
        place = layer.plan.name, TENSOR
        if place not in measured.tensors:
            measured.tensors[place] = tensor_sums(value, layer.quantizer), layer.quantizer
        return
    quantizer = getattr(layer, SLOTS["act"])
    if not isinstance(quantizer, nn.Identity):
        measured.tensors[name, "act"] = tensor_sums(value, quantizer), quantizer


def _weight_rows(name: str, layer: QuantTwin) -> list[TensorRow]:
    quantizer = getattr(layer, SLOTS["weight"])
    if isinstance(quantizer, nn.Identity):
        return []
    return [weight_row(name, "weight", layer.folded()[0], quantizer)]


@torch.no_grad()
def weight_row(name: str, slot: str, weight: Tensor, quantizer: nn.Module) -> TensorRow:
    """Return the row of a weight, with figures of its output channels.

    Args:
        name: Layer name of the row.
        slot: Slot of the row.
        weight: ``(out_channels, ...)``.
        quantizer: Its quantizer, calibrated.

    Raises:
        ValueError: If the weight holds NaN or infinity.
    """
    spread = channel_spread(weight, quantizer(weight))
    return replace(
        tensor_row(name, slot, weight, quantizer),
        worst_channel_db=spread.worst_db,
        channel_range_ratio=spread.range_ratio,
        dead_channels=spread.dead,
    )


@torch.no_grad()
def tensor_row(name: str, slot: str, x: Tensor, quantizer: nn.Module) -> TensorRow:
    """Return the row of a tensor.

    A cast to float16, and a dynamic range (one for each input), have an SQNR only.

    Args:
        name: Layer name of the row.
        slot: Slot of the row.
        x: The float tensor.
        quantizer: Its quantizer, calibrated.

    Raises:
        ValueError: If the tensor holds NaN or infinity.
    """
    return tensor_sums(x, quantizer).row(name, slot, quantizer)


def layer_sqnr(net: nn.Module, qnet: nn.Module, images: Tensor) -> list[LayerSQNR]:
    """Return the SQNR of each quantized layer's weight, input and output.

    Args:
        net: The float network, with the same layer names as ``qnet``.
        qnet: Its quantized version, calibrated.
        images: A batch of preprocessed images, on the device of both networks.

    Raises:
        ValueError: If a tensor holds NaN or infinity.

    Example:
        >>> import qat
        >>> net, images = nn.Sequential(nn.Linear(4, 3)), torch.eye(4)
        >>> qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(), images))
        >>> qat.calibrate(qnet, [images])
        >>> [row.name for row in layer_sqnr(net, qnet, images)]
        ['0']
    """
    return by_layer(tensor_rows(net, qnet, images))


def by_layer(rows: Iterable[TensorRow]) -> list[LayerSQNR]:
    """Group the SQNR of weight, input and output by layer; layers without output are left out.

    Example:
        >>> by_layer([TensorRow("fc", "weight", 40.0), TensorRow("fc", "output", 35.0)])
        [LayerSQNR(name='fc', weight_db=40.0, act_db=None, output_db=35.0)]
    """
    decibels: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.slot != TENSOR:
            decibels.setdefault(row.name, {})[row.slot] = row.sqnr_db
    return [
        LayerSQNR(name, slots.get("weight"), slots.get("act"), slots["output"])
        for name, slots in decibels.items()
        if "output" in slots
    ]


def _outputs(
    net: nn.Module, names: list[str], images: Tensor, limit_bytes: int | None
) -> dict[str, Tensor]:
    """Return the outputs of the first layers that fit into the limit, at least of one."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, value: Tensor, output: Tensor) -> None:
        kept_bytes = sum(kept.nbytes for kept in outputs.values())
        if (
            name in outputs
            or not outputs
            or limit_bytes is None
            or kept_bytes + output.nbytes <= limit_bytes
        ):
            outputs[name] = output

    with hooked(net, names, keep):
        net(images)
    return outputs


@contextmanager
def hooked(net: nn.Module, names: list[str], call: Callable[..., None]) -> Iterator[None]:
    """Inside, each forward pass of a layer calls a function; the network is in evaluation mode.

    Args:
        net: A network.
        names: Names of its modules to follow.
        call: Called as ``call(name, module, first input, output)`` after each forward pass.
    """

    def hook_of(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
            call(name, module, args[0], output)

        return hook

    handles = [net.get_submodule(name).register_forward_hook(hook_of(name)) for name in names]
    try:
        with evaluating(net):
            yield
    finally:
        for handle in handles:
            handle.remove()
