"""What quantization did to each tensor of a network, as rows."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from qat.analysis.channels import channel_spread
from qat.analysis.rows import TensorRow
from qat.analysis.sqnr import sqnr_db
from qat.core.evaluating import evaluating
from qat.core.qparams import QParams
from qat.layers.tensor import QuantTensor
from qat.layers.twin import QuantTwin
from qat.layers.walk import SLOTS, TENSOR, tensors, twins
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic

_EDGE = 1e-3  # in steps: float rounding at the end of the range is no clipping


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
def tensor_rows(net: nn.Module, qnet: nn.Module, images: Tensor) -> list[TensorRow]:
    """Weight, input and output of each quantized layer, in order of definition; tensors behind.

    Args:
        net: The float network, its layers named as those of the other.
        qnet: Its quantized version, calibrated.
        images: Preprocessed, on the device of both.
    """
    rows: dict[str, list[TensorRow]] = {}
    names = [name for name, _ in twins(qnet)]
    paths = [path for path, _ in tensors(qnet)]
    expected = _outputs(net, names, images)
    between: dict[str, TensorRow] = {}

    def measure(name: str, layer: QuantTwin | QuantTensor, value: Tensor, output: Tensor) -> None:
        if isinstance(layer, QuantTensor):
            row = tensor_row(layer.plan.name, TENSOR, value, layer.quantizer)
            between.setdefault(layer.plan.name, row)
            return
        found = [
            make_row(name, slot, tensor, getattr(layer, SLOTS[slot]))
            for slot, tensor, make_row in (
                ("weight", layer.folded()[0], weight_row),
                ("act", value, tensor_row),
            )
            if not isinstance(getattr(layer, SLOTS[slot]), nn.Identity)
        ]
        found += [replace(between[t.plan.name], name=name, slot="act") for t in layer.source]
        rows[name] = [*found, TensorRow(name, "output", sqnr_db(expected[name], output))]

    with hooked(qnet, [*names, *paths], measure):
        qnet(images)
    return [*(row for name in names for row in rows.get(name, ())), *between.values()]


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
    after = quantizer(x)
    sqnr = sqnr_db(x, after)
    if not isinstance(quantizer, Quantizer) or is_dynamic(quantizer):
        return TensorRow(name, slot, sqnr)
    qparams = quantizer.qparams()
    error = (_rows(qparams, after) - _rows(qparams, x)) / qparams.scale.reshape(-1, 1)
    low, high = _ends(qparams)
    codes = quantizer.encode(x)
    return TensorRow(
        name=name,
        slot=slot,
        sqnr_db=sqnr,
        bits=quantizer.grid.bits,
        symmetric=quantizer.spec.symmetric,
        granularity=quantizer.spec.granularity,
        step=float(qparams.scale.mean()),
        rmin=float(low.min()),
        rmax=float(high.max()),
        used_codes=int(codes.unique().numel()) / quantizer.grid.levels,
        clipped=clipped_share(x, qparams),
        max_error_steps=float(error.abs().max()),
        rms_error_steps=float(error.double().square().mean().sqrt()),
    )


def clipped_share(x: Tensor, qparams: QParams) -> float:
    """Share of values that lie more than half a step beyond the codes' range."""
    return float(clipped(x, qparams).double().mean())


def clipped(x: Tensor, qparams: QParams) -> Tensor:
    """Which values lie more than half a step beyond the range; rows ``(slices, n)``."""
    low, high = _ends(qparams)
    reach = (0.5 + _EDGE) * qparams.scale.reshape(-1, 1)
    rows = _rows(qparams, x)
    return (rows < low - reach) | (rows > high + reach)


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


def _rows(qparams: QParams, x: Tensor) -> Tensor:
    return qparams.layout.sliced(x)


def _ends(qparams: QParams) -> tuple[Tensor, Tensor]:
    """Values of the first and the last code, ``(slices, 1)``."""
    scale, zero_point = qparams.scale.reshape(-1, 1), qparams.zero_point.reshape(-1, 1)
    return (qparams.grid.qmin - zero_point) * scale, (qparams.grid.qmax - zero_point) * scale


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
