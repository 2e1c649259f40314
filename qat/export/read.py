"""From the graph of a quantized network to a :class:`qat.export.program.Program`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from qat.convert.rules import plan_of
from qat.export.errors import ExportError
from qat.export.onnx.pads import fold_pads
from qat.export.program import OFFSET, Format, Program, Step, Weight
from qat.graph.attributes import Ranges, attributes, pool_kind
from qat.graph.operations import MOVES, Operation, operations
from qat.graph.points import RECTIFIERS
from qat.graph.values import run_values
from qat.layers.bias import bias_codes
from qat.layers.tensor import QuantTensor
from qat.layers.twin import QuantTwin
from qat.layers.walk import TENSOR, placed_quantizers
from qat.quantizers.base import Quantizer

_ABOVE = 6.0
"""Upper bound of ReLU6."""


def read_with_names(qnet: nn.Module, example: Tensor) -> tuple[Program, Mapping[fx.Node, str]]:
    """The integer program of a calibrated network in placement ``integer``.

    Args:
        qnet: From :func:`qat.convert.swap.quantize`, calibrated, with folded batch norm.
        example: Preprocessed images, from which the shapes of all tensors follow.

    Returns:
        The program, and for each quantizer's node the name of its output tensor.

    Raises:
        ExportError: If the network has another placement, or a quantizer is not calibrated, has a
            scale that is not a positive number, or a grid that is not affine.
        UnsupportedOperationError: If an operation has no integer form; the message has its line.
    """
    if not isinstance(qnet, fx.GraphModule) or not plan_of(qnet).tensors:
        raise ExportError(
            "only networks with placement=integer can become integer files: quantize with "
            "scheme.placement=integer, or save the packed file"
        )
    for _, name, slot, quantizer in placed_quantizers(qnet):
        # Checked before the network is run for its shapes, because that would calibrate it.
        _checked(name if slot == TENSOR else f"{name} ({slot})", quantizer)
    reader = _GraphReader(qnet, example)
    for operation in reader.operations.values():
        reader.read(operation)
    last = next(node for node in reader.operations if node.op == "output").args[0]
    if last not in reader.names:
        raise ExportError(
            "the output of the network is not one tensor of logits: wrap the network in a module "
            "that returns only the logits"
        )
    program = Program(
        name=type(qnet).__name__,
        input_shape=tuple(example.shape[1:]),
        output_shape=reader.values.shapes[last][1:],  # type: ignore[index]
        output=reader.names[last],  # type: ignore[index]
        steps=tuple(reader.steps),
        formats=reader.formats,
        plan=plan_of(qnet).to_dict(),
    )
    return fold_pads(program), reader.stored


class _GraphReader:
    """Walks the graph and turns each chain of operations that ends in a quantizer into a step."""

    def __init__(self, qnet: fx.GraphModule, example: Tensor) -> None:
        self.qnet = qnet
        self.operations = operations(qnet)
        self.values = run_values(qnet, example)
        self.names: dict[fx.Node, str] = {}
        self.stored: dict[fx.Node, str] = {}
        self.parts: dict[fx.Node, tuple[Ranges, ...]] = {}
        self.steps: list[Step] = []
        self.formats: dict[str, Format] = {}

    def read(self, operation: Operation) -> None:
        """Add the step of which an operation is the last one, if there is such a step."""
        module = self._module(operation)
        if isinstance(module, QuantTensor):
            self._store(operation, module)
        elif operation.kind in ("concat", "max_pool", *MOVES):
            self._pass_on(operation)
        elif operation.kind == "adaptive_avg_pool" and self._pool(operation) == "identity":
            self.names[operation.node] = self.names[operation.inputs[0]]

    def _store(self, stored: Operation, tensor: QuantTensor) -> None:
        """Add a chain that ends in a quantizer: one operation, and a rectifier if there is one."""
        core = self.operations[stored.inputs[0]]
        rectifier = None
        if core.kind in RECTIFIERS and core.inputs[0] not in self.names:
            rectifier, core = core.kind, self.operations[core.inputs[0]]
        if core.node in self.names:  # an average over windows of one pixel computes nothing
            core = stored
        name = core.name if core is not stored else f"{stored.name}.again"
        form = _format(tensor.plan.name, tensor.quantizer)
        low, high = _bounds(form, rectifier or core.kind)
        inputs = tuple(self.names[node] for node in core.inputs)
        weight, bias = self._parameters(core)
        self.names[stored.node] = self.stored[stored.node] = name
        self.formats[name] = form
        self.steps.append(
            Step(
                name,
                "quantize" if core.kind in ("input", "tensor") else self._pool(core),
                inputs if core.kind != "input" else ("input",),
                name,
                self._attributes(core),
                weight,
                bias,
                low,
                high,
            )
        )

    def _pass_on(self, operation: Operation) -> None:
        """Add an operation that moves codes: its output has the format of its input."""
        inputs = tuple(self.names[node] for node in operation.inputs)
        if operation.kind in ("identity", "split"):
            self.names[operation.node] = inputs[0]
        if operation.kind == "split":
            self.parts[operation.node] = self._attributes(operation)["parts"]
        elif operation.kind == "slice":
            self._cut(operation, inputs[0])
        elif operation.kind != "identity":
            kind = "reshape" if operation.kind == "flatten" else operation.kind
            self._move(operation.name, kind, inputs, self._attributes(operation))
            self.names[operation.node] = operation.name

    def _cut(self, operation: Operation, source: str) -> None:
        """Add a slice, and a reshape that removes the axes that are indexed by a number."""
        slicing = self._attributes(operation)
        if "part" in slicing:
            slicing = {"ranges": self.parts[operation.inputs[0]][slicing["part"]]}
        shape = slicing.pop("shape", None)
        cut = operation.name if shape is None else f"{operation.name}.cut"
        self._move(cut, "slice", (source,), slicing)
        if shape is not None:
            self._move(operation.name, "reshape", (cut,), {"shape": shape})
        self.names[operation.node] = operation.name

    def _move(self, name: str, kind: str, inputs: tuple[str, ...], values: dict[str, Any]) -> None:
        self.formats[name] = self.formats[inputs[0]]
        self.steps.append(Step(name, kind, inputs, name, values))

    def _parameters(self, core: Operation) -> tuple[Weight | None, Any]:
        layer = self._module(core)
        if not isinstance(layer, QuantTwin):
            return None, None
        if layer.norm is not None:
            raise ExportError(f"batch norm of layer {core.name!r} is not folded: call fold_norms")
        weight, step = read_weight(core.name, layer), layer.bias_step()
        if layer.bias is None:
            return weight, None
        if step is None:
            raise ExportError(
                f"layer {core.name!r} is not quantizing: call set_phase(net, 'quantize')"
            )
        return weight, bias_codes(layer.bias, step).cpu().numpy()

    def _attributes(self, operation: Operation) -> dict[str, Any]:
        if operation.kind in ("input", "tensor"):
            return {}
        return attributes(operation, self._module(operation), self.values)

    def _pool(self, operation: Operation) -> str:
        if operation.kind not in ("adaptive_avg_pool", "mean"):
            return operation.kind
        return pool_kind(operation, self.values)

    def _module(self, operation: Operation) -> nn.Module | None:
        if operation.node.op != "call_module":
            return None
        return self.qnet.get_submodule(str(operation.node.target))


def read_weight(name: str, layer: QuantTwin) -> Weight:
    """The weight of a layer as integers.

    Args:
        name: Name of the layer, for error messages.
        layer: Calibrated layer.

    Raises:
        ExportError: If its weights are not quantized or not calibrated, their scale is not a
            positive number, or their grid is not affine.
    """
    quantizer = _checked(f"{name} (weight)", layer.weight_quantizer)
    qparams = quantizer.qparams()
    return Weight(
        codes=quantizer.encode(layer.weight.detach()).cpu().numpy(),
        scale=qparams.scale.detach().cpu().numpy().astype(np.float32).reshape(-1),
        zero_point=qparams.zero_point.cpu().numpy().astype(np.int32).reshape(-1),
        bits=quantizer.grid.bits,
        signed=quantizer.grid.signed,
    )


def _format(name: str, quantizer: nn.Module) -> Format:
    checked = _checked(name, quantizer)
    qparams, grid = checked.qparams(), checked.grid
    shift = OFFSET if grid.signed else 0
    return Format(
        scale=np.float32(qparams.scale.item()),
        zero_point=int(qparams.zero_point.item()) + shift,
        qmin=grid.qmin + shift,
        qmax=grid.qmax + shift,
    )


def _checked(name: str, quantizer: nn.Module) -> Quantizer:
    if not isinstance(quantizer, Quantizer):
        raise ExportError(
            f"{name} is not quantized: an integer file needs integers everywhere; set "
            "scheme.weight.bits=8, scheme.act.bits=8 and scheme.first_last=8, or fewer bits"
        )
    if not bool(quantizer.calibrated):
        raise ExportError(f"{name} is not calibrated: calibrate before exporting")
    if quantizer.codebook() is not None:
        raise ExportError(
            f"{name} is quantized by {type(quantizer).__name__}, whose levels are not evenly "
            "spaced: no ONNX operator supports such codes; save the packed file"
        )
    scale = quantizer.qparams().scale
    if not bool((torch.isfinite(scale) & (scale > 0)).all()):
        raise ExportError(
            f"{name} has a scale that is NaN, infinite or not positive: calibrate or train the "
            "network again"
        )
    return quantizer


def _bounds(form: Format, kind: str) -> tuple[int, int]:
    """Smallest and largest code after a rectifier, which clips codes instead of values.

    The result is the same, because rounding is monotone.
    """
    low = max(form.qmin, form.zero_point) if kind in RECTIFIERS else form.qmin
    high = form.qmax
    if kind == "relu6":
        high = min(high, int(form.encode(np.array([_ABOVE], np.float32))[0]))
    return low, high
