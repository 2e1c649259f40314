"""Dynamically quantized networks as ONNX files.

Each quantized layer becomes DynamicQuantizeLinear, then ConvInteger or MatMulInteger with stored
integer weights, then a multiplication by both scales. Operations between layers stay in float, as
in torch.
https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from qat.convert.rules import plan_of
from qat.convert.swap import to_float
from qat.export.errors import ExportError
from qat.export.onnx.file import set_opset
from qat.export.onnx.floating import float_onnx
from qat.export.onnx.qdq import stored_bits, stored_weight
from qat.export.program import Weight
from qat.export.read import read_weight
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic

_ACT_BITS = 8
_COPIED = ("dilations", "group", "kernel_shape", "pads", "strides")


def dynamic_onnx(qnet: nn.Module, example: Tensor) -> onnx.ModelProto:
    """The ONNX model of a network whose activation ranges are dynamic (``mode=dynamic``).

    Args:
        qnet: Quantized network with calibrated weights.
        example: Preprocessed images.

    Raises:
        ExportError: If the activations of a layer have no dynamic 8-bit range, its weights are not
            symmetric integers, or torch cannot export the network.
    """
    layers = dict(twins(qnet))
    for name, twin in layers.items():
        _check(name, twin)
    model = float_onnx(to_float(qnet), example, fold=False)
    writer = _Rewriter(model, layers)
    writer.rewrite()
    set_opset(model, {stored_bits(twin.plan.weight.bits) for twin in layers.values()})
    helper.set_model_props(model, {"plan": json.dumps(plan_of(qnet).to_dict())})
    onnx.checker.check_model(model, full_check=True)
    return model


def _check(name: str, twin: QuantTwin) -> None:
    quantizer = twin.weight_quantizer
    if not isinstance(quantizer, Quantizer) or not is_dynamic(twin.input_quantizer):
        raise ExportError(
            f"layer {name!r} has float weights or inputs: a dynamic ONNX file needs integers in "
            "every layer; set scheme.act.bits=8 and scheme.first_last=8 or same"
        )
    if twin.plan.act.bits != _ACT_BITS:
        raise ExportError(
            f"layer {name!r} has activations of {twin.plan.act.bits} bits: in ONNX, dynamic "
            "ranges have 8 bits; set scheme.act.bits=8"
        )
    if twin.plan.weight.granularity == "group" or not twin.plan.weight.symmetric:
        raise ExportError(
            f"layer {name!r} has weights with zero points or groups: set "
            "scheme.weight.symmetric=true and scheme.weight.granularity=tensor or channel"
        )


class _Rewriter:
    """Replaces the float products of the layers by integer products."""

    def __init__(self, model: onnx.ModelProto, layers: dict[str, QuantTwin]) -> None:
        self.graph = model.graph
        self.layers = layers
        self.constants: dict[str, onnx.TensorProto] = {}
        self.stored: dict[str, str] = {}  # layer → tensor of its 8-bit codes

    def rewrite(self) -> None:
        """Rewrite all layers, in place.

        Raises:
            ExportError: If no node computes one of the layers.
        """
        nodes, done = [], set()
        for node in self.graph.node:
            name = self._layer_of(node)
            done.add(name)
            nodes += list(self._integer(node, name)) if name else [node]
        missing = sorted(self.layers.keys() - done)
        if missing:
            raise ExportError(
                f"the graph that torch exported does not compute layer {missing[0]!r}; use the "
                "layer in forward, or remove it"
            )
        removed = {f"{name}.weight" for name in self.layers}
        kept = [i for i in self.graph.initializer if i.name not in removed]
        del self.graph.node[:], self.graph.initializer[:]
        self.graph.node.extend(nodes)
        self.graph.initializer.extend([*kept, *self.constants.values()])

    def _layer_of(self, node: onnx.NodeProto) -> str | None:
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            return None
        name = node.input[1].removesuffix(".weight")
        return name if name in self.layers else None

    def _integer(self, node: onnx.NodeProto, name: str) -> Iterator[onnx.NodeProto]:
        """``y = (q_x - z) q_w * (s_x s_w) + b``."""
        twin, out = self.layers[name], node.output[0]
        tag = f"{name}/{out}"
        weight = read_weight(name, twin)
        codes, scale, zero = f"{tag}/codes", f"{tag}/scale", f"{tag}/zero_point"
        yield _node("DynamicQuantizeLinear", [node.input[0]], [codes, scale, zero], f"{tag}/round")
        conv = node.op_type == "Conv"
        if name not in self.stored:
            yield from self._store(name, weight, transposed=not conv)
        factors = [codes, self.stored[name], zero]
        kind = "ConvInteger" if conv else "MatMulInteger"
        kept: dict[str, Any] = {
            a.name: helper.get_attribute_value(a) for a in node.attribute if a.name in _COPIED
        }
        yield _node(kind, factors, [f"{tag}/sum"], f"{tag}/product", **(kept if conv else {}))
        yield _node("Cast", [f"{tag}/sum"], [f"{tag}/float"], f"{tag}/cast", to=TensorProto.FLOAT)
        yield _node("Mul", [scale, f"{name}/weight_scale"], [f"{tag}/scales"], f"{tag}/scales")
        biased = twin.bias is not None
        scaled = f"{tag}/scaled" if biased else out
        yield _node("Mul", [f"{tag}/float", f"{tag}/scales"], [scaled], f"{tag}/scaling")
        if biased:
            shape = (-1, 1, 1) if conv else (-1,)
            bias = twin.bias.detach().cpu().numpy().reshape(shape)  # type: ignore[union-attr]
            yield _node("Add", [scaled, self._constant(f"{name}/bias", bias)], [out], f"{tag}/bias")

    def _store(self, name: str, weight: Weight, transposed: bool) -> Iterator[onnx.NodeProto]:
        """Store integer weight and scale; yield the Cast that a narrow weight needs."""
        scale = weight.scale if transposed else weight.scale.reshape(-1, 1, 1)
        self._constant(f"{name}/weight_scale", scale)
        codes = weight.codes.T if transposed else weight.codes
        tensor, cast = stored_weight(f"{name}/weight", codes, weight, f"{name}/weight_8bit")
        self.constants[tensor.name] = tensor
        self.stored[name] = cast.output[0] if cast else tensor.name
        if cast:
            yield cast

    def _constant(self, name: str, array: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name


def _node(
    kind: str, inputs: list[str], outputs: list[str], name: str, **attributes: Any
) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, outputs, name=name, **attributes)
