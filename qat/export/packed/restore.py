"""From the content of a packed file back to a network."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError, UnknownNameError
from qat.core.codebook import Codebook
from qat.core.layout import format_of
from qat.core.network_tensors import own_state
from qat.core.packing import unpack
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Method, TensorSpec
from qat.export.packed.content import (
    CODEBOOK_SCALE,
    PackedLayout,
    decoded_weight,
    exponents_key,
    form_of_codes,
)
from qat.layers.bias import bias_values
from qat.layers.twin import QuantTwin
from qat.layers.walk import placed_quantizers, quantizer_keys, twins
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic
from qat.quantizers.fixed_thresholds import FixedThresholds
from qat.quantizers.tabled import TabledQuantizer


def with_fixed_ranges(plan: Plan) -> Plan:
    """The plan with a fixed range in place of every trained or observed range.

    A file then contains no name of code to run, only numbers.
    """

    def fixed(spec: TensorSpec) -> TensorSpec:
        if spec.quantizer.name == "dynamic":
            return spec
        # Methods of 1 bit are built in, and no other method has that width.
        method = spec.quantizer.name if spec.bits == 1 else "minmax"
        observer = Method("default" if spec.is_block or spec.bits == 1 else "minmax")
        return spec.but(quantizer=Method(method), observer=observer, scale="free")

    def of(layer: LayerPlan) -> LayerPlan:
        output = None if layer.output is None else fixed(layer.output)
        return replace(layer, weight=fixed(layer.weight), act=fixed(layer.act), output=output)

    return replace(
        plan,
        layers={name: of(layer) for name, layer in plan.layers.items()},
        tensors={n: replace(t, spec=fixed(t.spec)) for n, t in plan.tensors.items()},
    )


def restore(qnet: nn.Module, tensors: dict[str, Tensor], layout: PackedLayout) -> None:
    """Set ranges, weights and biases of a network with the plan of :func:`with_fixed_ranges`.

    Args:
        qnet: Uncalibrated network; changed in place.
        tensors: Tensors of the file; changed in place.
        layout: Form and shape of those that are codes.

    Raises:
        KeyError: If a tensor is missing, or the network has no such tensor.
        ValueError: If a tensor does not have the size of its codes or of its layer.
    """
    for path, _, _, quantizer in list(placed_quantizers(qnet)):
        if not is_dynamic(quantizer):
            _set_range(qnet, path, quantizer, tensors)
    for name, twin in twins(qnet):
        weight, bias = f"{name}.weight", f"{name}.bias"
        if weight in layout:
            exponents = tensors.pop(exponents_key(weight), None)
            tensors[weight] = _weight(tensors[weight], layout[weight], twin, exponents)
        if bias in tensors and twin.bias is None:  # a step of post-training quantization added it
            twin.bias = nn.Parameter(torch.zeros(len(tensors[bias]), device=twin.weight.device))  # type: ignore[assignment]
        if bias in layout:
            tensors[bias] = _bias(tensors[bias], twin)
    own = quantizer_keys(qnet)
    differing = {k for k in own_state(qnet) if not k.startswith(own)} ^ tensors.keys()
    if differing:
        raise UnknownNameError(f"keys differ: {', '.join(sorted(differing)[:5])}")
    qnet.load_state_dict(tensors, strict=False)


def _set_range(
    qnet: nn.Module, path: str, quantizer: Quantizer, tensors: dict[str, Tensor]
) -> None:
    levels = tensors.pop(f"{path}.codebook", None)
    if levels is None:
        scale = tensors.pop(f"{path}.scale")
        quantizer.set_qparams(scale, tensors.pop(f"{path}.zero_point", torch.zeros(())))
        quantizer.frozen = True
        ends = tensors.pop(f"{path}.thresholds", None)
        if ends is not None:
            _replace(
                qnet, path, quantizer, FixedThresholds(quantizer.qparams(), quantizer.spec, ends)
            )
        return
    device, key = quantizer.calibrated.device, f"{path}.{CODEBOOK_SCALE}"
    if key in tensors:
        scale = tensors.pop(key).to(device)
        book = Codebook.scaled(levels.to(device), scale, quantizer.layout)
    else:
        book = Codebook(levels.to(device), quantizer.layout)
    _replace(qnet, path, quantizer, TabledQuantizer(quantizer.spec, book))


def _replace(qnet: nn.Module, path: str, old: Quantizer, new: Quantizer) -> None:
    new.label = old.label
    qnet.set_submodule(path, new.to(old.calibrated.device).train(old.training))


def _bias(codes: Tensor, twin: QuantTwin) -> Tensor:
    step = twin.bias_step()
    if step is None or codes.dtype != torch.int32:
        raise InputError(f"layer {twin.plan.name!r} has no integer bias")
    return bias_values(codes.to(step.device), step)


def _weight(
    stream: Tensor, entry: Mapping[str, Any], twin: QuantTwin, exponents: Tensor | None
) -> Tensor:
    quantizer = twin.weight_quantizer
    if not isinstance(quantizer, Quantizer):
        raise InputError(f"layer {twin.plan.name!r} has no quantized weight")
    expected = {"form": form_of_codes(quantizer), "shape": list(twin.weight.shape)}
    if entry != expected:
        raise InputError(f"layer {twin.plan.name!r} needs {expected}, the file has {entry}")
    codes = unpack(stream.numpy(), twin.weight.numel(), *quantizer.code_range())
    whole = torch.from_numpy(codes).reshape(twin.weight.shape).to(twin.weight.device)
    decoded = decoded_weight(quantizer, whole, exponents)
    return decoded.contiguous(memory_format=format_of(twin.weight))
