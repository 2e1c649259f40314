"""What each node of a traced network does, in a vocabulary that placement and export share.

layers        conv linear norm
elementwise   relu relu6 silu hardswish sigmoid hardsigmoid tanh gelu leaky_relu elu
of two        add mul
pools         max_pool avg_pool adaptive_avg_pool mean
of many       concat
moves         flatten reshape permute slice pad identity   (codes pass through unchanged)
plain         values that are no tensors: sizes and what is computed from them
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn
from torchvision.ops import StochasticDepth

from qat.base.errors import InputError
from qat.graph.rewrite import scope
from qat.graph.trace import where

LAYERS = ("conv", "linear", "norm")
ELEMENTWISE = (
    *("relu", "relu6", "silu", "hardswish", "sigmoid", "hardsigmoid"),
    *("tanh", "gelu", "leaky_relu", "elu"),
)
MOVES = ("flatten", "reshape", "permute", "slice", "pad", "identity")
PASSING = (*MOVES, "max_pool")
"""Operations whose output takes no value that their input has not, but zero."""

_MODULES: Mapping[type[nn.Module], str] = {
    nn.Conv2d: "conv",
    nn.Linear: "linear",
    nn.BatchNorm1d: "norm",
    nn.BatchNorm2d: "norm",
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SiLU: "silu",
    nn.Hardswish: "hardswish",
    nn.Sigmoid: "sigmoid",
    nn.Hardsigmoid: "hardsigmoid",
    nn.Tanh: "tanh",
    nn.GELU: "gelu",
    nn.LeakyReLU: "leaky_relu",
    nn.ELU: "elu",
    nn.MaxPool2d: "max_pool",
    nn.AvgPool2d: "avg_pool",
    nn.AdaptiveAvgPool2d: "adaptive_avg_pool",
    nn.Flatten: "flatten",
    nn.Dropout: "identity",
    nn.Dropout2d: "identity",
    nn.Identity: "identity",
    StochasticDepth: "identity",
}
_FUNCTIONS: Mapping[Callable[..., Any], str] = {
    operator.add: "add",
    operator.iadd: "add",
    torch.add: "add",
    operator.mul: "mul",
    operator.imul: "mul",
    torch.mul: "mul",
    torch.cat: "concat",
    torch.concat: "concat",
    torch.flatten: "flatten",
    torch.reshape: "reshape",
    torch.permute: "permute",
    torch.mean: "mean",
    torch.relu: "relu",
    torch.sigmoid: "sigmoid",
    torch.tanh: "tanh",
    F.relu: "relu",
    F.relu_: "relu",
    torch.relu_: "relu",
    F.relu6: "relu6",
    F.silu: "silu",
    F.hardswish: "hardswish",
    F.sigmoid: "sigmoid",
    F.hardsigmoid: "hardsigmoid",
    F.tanh: "tanh",
    F.gelu: "gelu",
    F.leaky_relu: "leaky_relu",
    F.elu: "elu",
    F.max_pool2d: "max_pool",
    torch.max_pool2d: "max_pool",
    F.avg_pool2d: "avg_pool",
    F.adaptive_avg_pool2d: "adaptive_avg_pool",
    F.pad: "pad",
}
_METHODS: Mapping[str, str] = {
    **{name: "add" for name in ("add", "add_")},
    **{name: "mul" for name in ("mul", "mul_")},
    **{name: "relu" for name in ("relu", "relu_")},
    **{name: "reshape" for name in ("view", "reshape")},
    **{name: "identity" for name in ("contiguous", "clone")},
    **{name: name for name in ("flatten", "permute", "mean", "sigmoid", "tanh")},
}


class UnsupportedOperationError(InputError):
    """An operation that has no integer form here; the message names it and its line."""


@dataclass(frozen=True)
class Operation:
    """One node of a traced network.

    Attributes:
        node: The node.
        kind: A word of the vocabulary above, ``input`` or ``output``.
        name: Of the layer that is called, or ``layer1.0.add`` for a function, after the module
            it is called in; from the second call on with ``:2``.
        inputs: Nodes of the tensors it reads, in order.
    """

    node: fx.Node
    kind: str
    name: str
    inputs: tuple[fx.Node, ...]


def operations(traced: fx.GraphModule) -> dict[fx.Node, Operation]:
    """Every operation on tensors, in execution order.

    Raises:
        UnsupportedOperationError: If one is none of the vocabulary's; its line is named.
    """
    found: dict[fx.Node, Operation] = {}
    taken: dict[str, int] = {}
    for node in traced.graph.nodes:
        kind = _kind(node, traced, found)
        if kind != "plain":
            inputs = tuple(n for n in _arguments(node, kind) if n in found)
            found[node] = Operation(node, kind, _unique(_name(node, kind), taken), inputs)
    for operation in found.values():
        _check(operation)
    return found


def _kind(node: fx.Node, traced: fx.GraphModule, tensors: Mapping[fx.Node, Operation]) -> str:
    if node.op in ("placeholder", "output"):
        return {"placeholder": "input"}.get(node.op, node.op)
    reads_tensor = any(n in tensors for n in node.all_input_nodes)
    if not reads_tensor and node.op != "get_attr":
        return "plain"
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        kind = _MODULES.get(type(module)) or getattr(module, "quantized_leaf", None)
        if kind:
            return str(kind)
    if node.op == "call_function" and node.target in _FUNCTIONS:
        return _FUNCTIONS[node.target]  # type: ignore[index]
    if node.op == "call_function" and node.target is operator.getitem:
        return "slice"
    if node.op == "call_function" and node.target is getattr and node.args[1] == "shape":
        return "plain"
    if node.op == "call_method" and node.target in _METHODS:
        return _METHODS[str(node.target)]
    if node.op == "call_method" and node.target == "size":
        return "plain"
    raise UnsupportedOperationError(
        f"{_described(node, traced)} at {where(node)} has no integer form here: use "
        "scheme.placement=academic, which leaves it float, or write it otherwise"
    )


def _arguments(node: fx.Node, kind: str) -> Sequence[fx.Node]:
    """Nodes it reads, in order; one that it reads twice (``x + x``) stands there twice."""
    if kind in ("add", "mul"):
        given = [*node.args[:2], *(node.kwargs[k] for k in ("input", "other") if k in node.kwargs)]
    elif kind == "concat":
        given = list(node.args[0] if node.args else node.kwargs["tensors"])  # type: ignore[arg-type]
    else:
        given = list(node.all_input_nodes)
    return [argument for argument in given if isinstance(argument, fx.Node)]


def _check(operation: Operation) -> None:
    if operation.kind in ("add", "mul") and len(operation.inputs) != 2:
        raise UnsupportedOperationError(
            f"{operation.kind} of a tensor and a number at {where(operation.node)} has no integer "
            "form here: fold the number into a layer, or use scheme.placement=academic"
        )


def _described(node: fx.Node, traced: fx.GraphModule) -> str:
    if node.op == "call_module":
        return f"layer {node.target!r}, a {type(traced.get_submodule(str(node.target))).__name__},"
    if node.op == "get_attr":
        return f"the use of the parameter {node.target!r}"
    return f"{node.target if isinstance(node.target, str) else node.target.__name__}()"


def _name(node: fx.Node, kind: str) -> str:
    if node.op == "placeholder":
        return "input"
    if node.op == "call_module":
        return str(node.target)
    path = scope(node)
    return f"{path}.{kind}" if path else kind


def _unique(name: str, taken: dict[str, int]) -> str:
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name}:{taken[name]}"
