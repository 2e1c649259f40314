"""Bytes of each layer, in inference and in training, without running anything.

Per operation: the parameters and buffers of its layer (of a layer called twice, at its first
call), the activations it makes, the gradients of its parameters, and the optimizer's state for
them. Activations are, in inference, every tensor that is made: what naive allocation needs. In
training they are what autograd keeps for the backward pass, as torch's kernels on CPU keep it:

    inputs    conv, linear, batch norm, pools, relu6, silu, gelu, ...; mul both of them
    output    relu, sigmoid, tanh
    besides   batch norm: mean and inverse deviation of each channel; max pool: an index of 8 bytes
              an output; dropout: a mask as large as its input
    nothing   add, concat, reshapes, mean, average pooling to 1 x 1

A tensor that two operations keep counts once, for the one that makes it; the image counts too.
Operations are taken out of place: a ReLU6 in place keeps one tensor fewer. Stored widths shrink
inference only: training with fake quantization keeps floats.

Layers of a chain have one row, under the first one's name. Of a quantized layer its own weight and
bias count, not the scales of its quantizers (4 bytes each).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from qat.base.errors import UnknownNameError
from qat.memory.liveness import MemoryGraph, MemoryOperation
from qat.memory.optimizers import OPTIMIZERS
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
        name: Of its layer, or of the operation where no layer is called.
        kind: What it does.
        parameters: Of the layer.
        buffers: Such as running statistics.
        activations: What it makes, or in training what is kept of that.
        gradients: Of the parameters; 0 in inference.
        optimizer: Its state; 0 in inference.
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
        """All of it."""
        parts = (self.parameters, self.buffers, self.activations, self.gradients, self.optimizer)
        return sum(parts)


@dataclass(frozen=True)
class MemoryEstimate:
    """Rows in execution order, and their sums.

    Attributes:
        rows: One an operation that needs memory.
        assumed: Operations that are not in the table above: taken to keep their inputs.
    """

    rows: tuple[LayerMemory, ...]
    assumed: tuple[str, ...] = ()

    def sum(self, part: str) -> int:
        """Of ``parameters``, ``buffers``, ``activations``, ``gradients``, ``optimizer``."""
        return sum(getattr(row, part) for row in self.rows)

    @property
    def total(self) -> int:
        """Bytes of everything."""
        return self.sum("total")

    def saving_percent(self, than: "MemoryEstimate") -> float:
        """How much less this is than another, in percent of the other."""
        return 100 * (1 - self.total / than.total) if than.total else 0.0


def estimate_inference(
    traced: Traced, bits: int = 32, weight_bits: Mapping[str, int] | None = None
) -> MemoryEstimate:
    """Memory of a forward pass that frees nothing.

    Args:
        traced: The network; its activations at the widths of its graph.
        bits: Of a floating-point parameter or buffer.
        weight_bits: Layer name → width its ``weight`` is stored at, where it is another.

    Raises:
        KeyError: If a name is of no layer with a weight.
    """
    widths = dict(weight_bits or {})
    layers = _first_calls(traced)
    called = [found for each in layers.values() for found in each]
    weighted = {n for n, layer in called if getattr(layer, "weight", None) is not None}
    if unknown := sorted(widths.keys() - weighted):
        raise UnknownNameError(
            f"no layers with a weight {unknown}; there are {', '.join(sorted(weighted))}"
        )
    made = {n: t.bytes for n, t in traced.graph.tensors.items() if not t.is_view}
    rows = []
    for name, operation in traced.graph.operations.items():
        called = layers.get(name, [])
        own = sum(_bytes_of_parameters(layer, bits, widths.get(n, bits)) for n, layer in called)
        buffers = sum(_bytes_of_buffers(layer, bits) for _, layer in called)
        label = _label(name, called)
        rows.append(LayerMemory(label, operation.kind, own, buffers, made.get(name, 0)))
    return MemoryEstimate(tuple(row for row in rows if row.total))


def estimate_training(
    traced: Traced, optimizer: str = "sgd_momentum", bits: int = 32
) -> MemoryEstimate:
    """Memory behind the first step of training, with what its backward pass had to keep.

    Args:
        traced: The network.
        optimizer: A name of ``OPTIMIZERS``.
        bits: Of floating-point values, activations too.

    Raises:
        KeyError: If the optimizer is not known.
    """
    if optimizer not in OPTIMIZERS:
        raise UnknownNameError(f"no optimizer {optimizer!r}; there are {', '.join(OPTIMIZERS)}")
    copies, counter = OPTIMIZERS[optimizer]
    layers = _first_calls(traced)
    kept = _kept_bytes(traced.graph.with_bits(bits), bits)
    rows = []
    for name, operation in traced.graph.operations.items():
        called = layers.get(name, [])
        own = sum(_bytes_of_parameters(layer, bits, bits) for _, layer in called)
        trained = [p for _, layer in called for p in _parameters(layer) if p.requires_grad]
        gradients = sum(-(-p.numel() * bits // 8) for p in trained)
        state = copies * gradients + counter * len(trained)
        buffers = sum(_bytes_of_buffers(layer, bits) for _, layer in called)
        sizes = (own, buffers, kept.get(name, 0), gradients, state)
        rows.append(LayerMemory(_label(name, called), operation.kind, *sizes))
    unknown = [n for n, o in traced.graph.operations.items() if not _is_known(traced.graph, o)]
    return MemoryEstimate(tuple(row for row in rows if row.total), tuple(unknown))


Called = list[tuple[str, nn.Module]]


def _first_calls(traced: Traced) -> dict[str, Called]:
    """Operation → names and modules of the layers that it is the first to call."""
    found: dict[str, Called] = {}
    seen: set[nn.Module] = set()
    nodes = {node.name: node for node in traced.module.graph.nodes}
    for name, operation in traced.graph.operations.items():
        for node in (nodes[n] for n in operation.nodes if nodes[n].op == "call_module"):
            layer = traced.module.get_submodule(str(node.target))
            if layer not in seen:
                found.setdefault(name, []).append((str(node.target), layer))
            seen.add(layer)
    return found


def _label(operation: str, called: Called) -> str:
    return called[0][0] if called else operation


def _kept_bytes(graph: MemoryGraph, bits: int) -> dict[str, int]:
    """Operation → bytes of what it makes and autograd keeps, of its own account included."""
    homes = _homes(graph)
    kept: set[str] = set()
    extra: dict[str, int] = {}
    for name, operation in graph.operations.items():
        if operation.kind in _KEEP_OUTPUT:
            kept.add(homes[name])
        elif _keeps_inputs(graph, operation):
            kept |= {homes[given] for given in operation.inputs}
        extra[name] = _extra_bytes(graph, operation, bits)
    sizes = {n: graph.tensors[n].bytes for n in kept}
    return {n: sizes.get(n, 0) + extra[n] for n in graph.operations}


def _homes(graph: MemoryGraph) -> dict[str, str]:
    """Tensor → the one that owns its storage in training, where a dropout makes a new one."""
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
    """Whether its submodules are quantizers."""
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
