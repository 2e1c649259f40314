"""What each node of a traced network does, in a vocabulary that placement and export share.

layers        conv linear norm
elementwise   relu relu6 silu hardswish sigmoid hardsigmoid tanh gelu leaky_relu elu
of two        add mul
pools         max_pool avg_pool adaptive_avg_pool mean
of many       concat
moves         flatten reshape permute split slice pad resize identity   (codes stay as they are)
plain         values that are no tensors: sizes and what is computed from them
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import fx, nn

from qat.base.errors import InputError
from qat.graph.arguments import MODULES, ArgumentError, Form, bound, form_of
from qat.graph.modes import CONSTANT
from qat.graph.rewrite import scope
from qat.graph.trace import where

LAYERS = ("conv", "linear", "norm")
ELEMENTWISE = (
    *("relu", "relu6", "silu", "hardswish", "sigmoid", "hardsigmoid"),
    *("tanh", "gelu", "leaky_relu", "elu"),
)
MOVES = ("flatten", "reshape", "permute", "split", "slice", "pad", "resize", "identity")
PASSING = (*MOVES, "max_pool")
"""Operations whose output takes no value that their input has not, but zero."""

_LEAVES = {"conv": MODULES[nn.Conv2d].arguments}
"""Arguments of quantized layers, by their kind."""
_READ_PLAIN = ("shape", "ndim", "dtype", "device")
_TOLD_PLAIN = ("size", "dim", "numel")
"""Attributes and methods of a tensor that give no tensor."""


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
        arguments: What else it is given, by name (see :mod:`qat.graph.arguments`); a value that
            the network computes from sizes is a node.
    """

    node: fx.Node
    kind: str
    name: str
    inputs: tuple[fx.Node, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)


def operations(traced: fx.GraphModule) -> dict[fx.Node, Operation]:
    """Every operation on tensors, in execution order.

    Raises:
        UnsupportedOperationError: If one is none of the vocabulary's, or has an argument that is
            not understood; its line is named.
    """
    found: dict[fx.Node, Operation] = {}
    taken: dict[str, int] = {}
    for node in traced.graph.nodes:
        read = _read(node, traced, found)
        if read is not None:
            kind, arguments = read
            inputs = tuple(n for n in _tensors(node, kind) if n in found)
            name = _unique(_name(node, kind), taken)
            found[node] = Operation(node, kind, name, inputs, arguments)
    for operation in found.values():
        _check(operation)
    return found


def _read(
    node: fx.Node, traced: fx.GraphModule, tensors: Mapping[fx.Node, Operation]
) -> tuple[str, dict[str, Any]] | None:
    """Kind and arguments of a node; None of one that is computed from no tensor."""
    if node.op in ("placeholder", "output"):
        return {"placeholder": "input"}.get(node.op, node.op), {}
    reads_tensor = any(n in tensors for n in node.all_input_nodes)
    if (not reads_tensor and node.op != "get_attr") or _gives_plain(node):
        return None
    module = traced.get_submodule(str(node.target)) if node.op == "call_module" else None
    leaf = getattr(module, "quantized_leaf", None)
    form = Form(str(leaf), _LEAVES.get(str(leaf), ())) if leaf else form_of(node, module)
    if form is None:
        raise refusal(f"{_described(node, traced)} at {where(node)} has no integer form here")
    try:
        arguments = bound(node, module, form)
        return _rectifier(arguments) if form.kind == "clamp" else form.kind, arguments
    except ArgumentError as error:
        raise refusal(
            f"{_described(node, traced)} at {where(node)} {error}, which has no integer form here"
        ) from None


def refusal(reason: str) -> UnsupportedOperationError:
    """The error of an operation without an integer form, with what can be done."""
    return UnsupportedOperationError(
        f"{reason}: use scheme.placement=academic, which leaves it float, or write it otherwise"
    )


def _gives_plain(node: fx.Node) -> bool:
    if node.op == "call_method":
        return node.target in _TOLD_PLAIN
    return node.target is getattr and node.args[1] in _READ_PLAIN


def _rectifier(arguments: Mapping[str, Any]) -> str:
    """The kind of a clamp: between 0 and 6, or from 0 on."""
    low, high = (arguments.get(n, arguments.get(f"{n}_val")) for n in ("min", "max"))
    if not isinstance(low, int | float) or low != 0 or high not in (None, 6):
        raise ArgumentError(f"clamps to {low}..{high} (0..6 and 0..None are ReLU6 and ReLU)")
    return "relu" if high is None else "relu6"


def _tensors(node: fx.Node, kind: str) -> Sequence[fx.Node]:
    """Nodes it reads, in order; one that it reads twice (``x + x``) stands there twice."""
    if kind in ("add", "mul"):
        given = [*node.args[:2], *(node.kwargs[k] for k in ("input", "other") if k in node.kwargs)]
    elif kind == "concat":
        listed: Any = node.args[0] if node.args else node.kwargs["tensors"]
        given = [] if isinstance(listed, fx.Node) else list(listed)
    else:
        given = list(node.all_input_nodes)
    return [argument for argument in given if isinstance(argument, fx.Node)]


def _check(operation: Operation) -> None:
    if operation.kind == "concat" and not operation.inputs:
        raise refusal(
            f"concat at {where(operation.node)} joins a list that another operation makes"
        )
    if operation.kind not in ("add", "mul") or len(operation.inputs) == 2:
        return
    raise UnsupportedOperationError(
        f"{operation.kind} of a tensor and a number at {where(operation.node)} has no integer "
        "form here: fold the number into a layer, or use scheme.placement=academic"
    )


def _described(node: fx.Node, traced: fx.GraphModule) -> str:
    if node.op == "call_module":
        return f"layer {node.target!r}, a {type(traced.get_submodule(str(node.target))).__name__},"
    if node.op == "get_attr":
        if str(node.target).startswith(CONSTANT):
            return "the use of a tensor that forward makes"
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
