"""Bytes of each layer, in inference and in training, without running the network.

Each operation has the parameters and buffers of its layer (a layer that is called twice counts at
its first call), its activations, the gradients of its parameters, and the optimizer's state for
them. In inference, activations are all tensors that the network computes, as naive allocation
needs them. In training, they are the tensors that autograd keeps for the backward pass with torch's
CPU kernels:

    inputs        conv, linear, batch norm, pools, relu6, silu, gelu, ...; both inputs of mul
    output        relu, sigmoid, tanh
    additionally  batch norm: mean and inverse deviation of each channel; max pool: an index of
                  8 bytes for each output; dropout: a mask as large as its input
    nothing       add, concat, reshapes, mean, average pooling to 1 x 1

A tensor that two operations keep counts once, in the row of the operation that computes it. The
image counts too. Operations are assumed not to work in place: a ReLU6 in place keeps one tensor
fewer. Narrow widths reduce the memory of inference only, because training with fake quantization
keeps floats.

Layers of a chain have one row, under the name of the first one. The weight and bias of a quantized
layer count, the scales of its quantizers (4 bytes each) do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from qat.base.errors import UnknownNameError
from qat.memory.liveness import MemoryGraph, MemoryOperation
from qat.memory.optimizers import OPTIMIZER_STATES
from qat.memory.read import Traced

_KEEP_OUTPUT = frozenset(("relu", "sigmoid", "tanh"))
_KEEP_NOTHING = frozenset(
    ("input", "add", "iadd", "sub", "isub", "cat", "concat", "mean", "pad", "flatten", "identity")
)
_KEEP_INPUTS = frozenset(
    (
        *("conv2d", "linear", "batchnorm1d", "batchnorm2d", "mul", "imul"),
        *("maxpool2d", "max_pool2d", "avgpool2d", "avg_pool2d"),
        *("adaptiveavgpool2d", "adaptive_avg_pool2d"),
        *("relu6", "hardtanh", "silu", "hardswish", "hardsigmoid", "gelu", "elu"),
        *("leakyrelu", "leaky_relu"),
    )
)
_INDEXED = ("maxpool2d", "max_pool2d")
_POOLS_TO_ONE = ("adaptiveavgpool2d", "adaptive_avg_pool2d")


@dataclass(frozen=True)
class LayerMemory:
    """Bytes of one operation.

    Attributes:
        name: Name of its layer, or of the operation if it calls no layer.
        kind: Kind of the operation.
        parameters: Bytes of the layer's parameters.
        buffers: Bytes of its buffers, such as running statistics.
        activations: Bytes of its output, or in training of the tensors that autograd keeps.
        gradients: Bytes of the parameters' gradients; 0 in inference.
        optimizer: Bytes of the optimizer's state; 0 in inference.
    """

    name: str
    kind: str
    parameters: int = 0
    buffers: int = 0
    activations: int = 0
    gradients: int = 0
    optimizer: int = 0

    @property
    def total(self) -> int:
        """Sum of all parts."""
        parts = (self.parameters, self.buffers, self.activations, self.gradients, self.optimizer)
        return sum(parts)


@dataclass(frozen=True)
class MemoryEstimate:
    """Rows in execution order.

    Attributes:
        rows: One row for each operation that needs memory.
        assumed: Operations that are not in the table above; they are assumed to keep their inputs.
    """

    rows: tuple[LayerMemory, ...]
    assumed: tuple[str, ...] = ()

    def sum(self, part: str) -> int:
        """Return the sum of one part over all rows.

        Args:
            part: ``parameters``, ``buffers``, ``activations``, ``gradients``, ``optimizer`` or
                ``total``.
        """
        return sum(getattr(row, part) for row in self.rows)

    @property
    def total(self) -> int:
        """Sum of all parts of all rows."""
        return self.sum("total")

    def saving_percent(self, than: "MemoryEstimate") -> float:
        """Return how much smaller this estimate is than another, in percent of the other.

        Args:
            than: The other estimate.
        """
        return 100 * (1 - self.total / than.total) if than.total else 0.0


def estimate_inference(
    traced: Traced, bits: int = 32, weight_bits: Mapping[str, int] | None = None
) -> MemoryEstimate:
    """Estimate the memory of a forward pass that frees nothing.

    Args:
        traced: The network; its activations have the widths of its graph.
        bits: Width of a floating-point parameter or buffer.
        weight_bits: Layer name → width of its stored ``weight``, if it is not ``bits``; None for
            no such layer.

    Raises:
        KeyError: If ``weight_bits`` names something other than a layer with a weight.

    Example:
        >>> from qat.memory.read import read_memory
        >>> traced = read_memory(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (1, 4))
        >>> [(row.name, row.total) for row in estimate_inference(traced).rows]
        [('input_1', 16), ('0', 72), ('1', 12)]
    """
    widths = dict(weight_bits or {})
    layers = _first_calls(traced)
    called = [call for calls in layers.values() for call in calls]
    weighted = {n for n, layer in called if getattr(layer, "weight", None) is not None}
    if unknown := sorted(widths.keys() - weighted):
        raise UnknownNameError(
            f"no layers with a weight {unknown}; there are {', '.join(sorted(weighted))}"
        )
    output_bytes = {n: t.bytes for n, t in traced.graph.tensors.items() if not t.is_view}
    rows = []
    for name, operation in traced.graph.operations.items():
        called = layers.get(name, [])
        stored = sum(_bytes_of_parameters(layer, bits, widths.get(n, bits)) for n, layer in called)
        buffers = sum(_bytes_of_buffers(layer, bits) for _, layer in called)
        sizes = (stored, buffers, output_bytes.get(name, 0))
        rows.append(LayerMemory(_label(name, called), operation.kind, *sizes))
    return MemoryEstimate(tuple(row for row in rows if row.total))


def estimate_training(
    traced: Traced, optimizer: str = "sgd_momentum", bits: int = 32
) -> MemoryEstimate:
    """Estimate the memory of training after its first step.

    Args:
        traced: The network.
        optimizer: A name of ``OPTIMIZER_STATES``.
        bits: Width of floating-point values, activations included.

    Raises:
        KeyError: If the optimizer is not known.
    """
    if optimizer not in OPTIMIZER_STATES:
        raise UnknownNameError(
            f"no optimizer {optimizer!r}; there are {', '.join(OPTIMIZER_STATES)}"
        )
    copies, counter = OPTIMIZER_STATES[optimizer]
    layers = _first_calls(traced)
    kept = _kept_bytes(traced.graph.with_bits(bits), bits)
    rows = []
    for name, operation in traced.graph.operations.items():
        called = layers.get(name, [])
        parameters = sum(_bytes_of_parameters(layer, bits, bits) for _, layer in called)
        trained = [p for _, layer in called for p in _parameters(layer) if p.requires_grad]
        gradients = sum(-(-p.numel() * bits // 8) for p in trained)
        state = copies * gradients + counter * len(trained)
        buffers = sum(_bytes_of_buffers(layer, bits) for _, layer in called)
        sizes = (parameters, buffers, kept.get(name, 0), gradients, state)
        rows.append(LayerMemory(_label(name, called), operation.kind, *sizes))
    unknown = [n for n, o in traced.graph.operations.items() if not _is_known(traced.graph, o)]
    return MemoryEstimate(tuple(row for row in rows if row.total), tuple(unknown))


CalledLayers = list[tuple[str, nn.Module]]


def _first_calls(traced: Traced) -> dict[str, CalledLayers]:
    """Return for each operation the layers that it is the first to call, with their names."""
    calls: dict[str, CalledLayers] = {}
    counted: set[nn.Module] = set()
    nodes = {node.name: node for node in traced.module.graph.nodes}
    for name, operation in traced.graph.operations.items():
        for node in (nodes[n] for n in operation.nodes if nodes[n].op == "call_module"):
            layer = traced.module.get_submodule(str(node.target))
            if layer not in counted:
                calls.setdefault(name, []).append((str(node.target), layer))
            counted.add(layer)
    return calls


def _label(operation: str, called: CalledLayers) -> str:
    return called[0][0] if called else operation


def _kept_bytes(graph: MemoryGraph, bits: int) -> dict[str, int]:
    """Return for each operation the bytes of its output that autograd keeps.

    The extra bytes of the operation (indices, masks, statistics) are included.
    """
    homes = _homes(graph)
    kept: set[str] = set()
    extra: dict[str, int] = {}
    for name, operation in graph.operations.items():
        if operation.kind in _KEEP_OUTPUT:
            kept.add(homes[name])
        elif _keeps_inputs(graph, operation):
            kept |= {homes[source] for source in operation.inputs}
        extra[name] = _extra_bytes(graph, operation, bits)
    sizes = {n: graph.tensors[n].bytes for n in kept}
    return {n: sizes.get(n, 0) + extra[n] for n in graph.operations}


def _homes(graph: MemoryGraph) -> dict[str, str]:
    """Return for each tensor the tensor that owns its storage in training.

    In training a dropout has an output of its own.
    """
    homes: dict[str, str] = {}
    for name, operation in graph.operations.items():
        view = graph.tensors[name].is_view and not _drops(operation)
        homes[name] = homes[operation.inputs[0]] if view else name
    return homes


def _extra_bytes(graph: MemoryGraph, operation: MemoryOperation, bits: int) -> int:
    tensor = graph.tensors[operation.name]
    if operation.kind in _INDEXED:
        return 8 * tensor.elements
    if operation.kind.startswith("batchnorm"):
        return 2 * -(-tensor.shape[1] * bits // 8)
    return tensor.bytes if _drops(operation) else 0


def _keeps_inputs(graph: MemoryGraph, operation: MemoryOperation) -> bool:
    if operation.kind in _POOLS_TO_ONE and graph.tensors[operation.name].shape[-2:] == (1, 1):
        return False
    if operation.kind in _KEEP_INPUTS:
        return True
    return not _is_known(graph, operation)


def _is_known(graph: MemoryGraph, operation: MemoryOperation) -> bool:
    known = _KEEP_INPUTS | _KEEP_OUTPUT | _KEEP_NOTHING
    view = graph.tensors[operation.name].is_view
    return view or _drops(operation) or operation.kind in known


def _drops(operation: MemoryOperation) -> bool:
    return operation.kind.startswith("dropout")


def _parameters(layer: nn.Module) -> list[nn.Parameter]:
    return list(layer.parameters(recurse=not _is_quantized(layer)))


def _is_quantized(layer: nn.Module) -> bool:
    """Return whether the submodules of a layer are quantizers."""
    return bool(getattr(layer, "quantized_leaf", ""))


def _bytes_of_parameters(layer: nn.Module, bits: int, weight_bits: int) -> int:
    weight = getattr(layer, "weight", None)
    widths = [(p.numel(), weight_bits if p is weight else bits) for p in _parameters(layer)]
    return sum(-(-count * width // 8) for count, width in widths)


def _bytes_of_buffers(layer: nn.Module, bits: int) -> int:
    buffers = list(layer.buffers(recurse=not _is_quantized(layer)))
    return sum(
        -(-b.numel() * bits // 8) if b.is_floating_point() else b.numel() * b.element_size()
        for b in buffers
    )
