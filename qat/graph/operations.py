"""What each node of a traced network does, in one vocabulary for placement and export.

layers        conv linear norm
elementwise   relu relu6 silu hardswish sigmoid hardsigmoid tanh gelu leaky_relu elu
two inputs    add mul
pools         max_pool avg_pool adaptive_avg_pool mean
many inputs   concat
moves         flatten reshape permute split slice pad resize identity   (codes do not change)
plain         values that are not tensors: sizes, and values computed from sizes
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
"""Operations whose output has only values of their input, and zero."""

_LEAVES = {"conv": MODULES[nn.Conv2d].arguments}
"""Arguments of quantized layers, by their kind."""
_PLAIN_ATTRIBUTES = ("shape", "ndim", "dtype", "device")
_PLAIN_METHODS = ("size", "dim", "numel")
"""Attributes and methods of a tensor that return no tensor."""


class UnsupportedOperationError(InputError):
    """An operation has no integer form; the message names the operation and its line."""


@dataclass(frozen=True)
class Operation:
    """One node of a traced network.

    Attributes:
        node: The node.
        kind: A word of the vocabulary above, ``input`` or ``output``.
        name: Name of the called layer. For a function, the path of the module that calls it and
            the kind, such as ``layer1.0.add``. The second call of a name ends in ``:2``.
        inputs: Nodes of the tensors that it reads, in order.
        arguments: Its other arguments by name (see :mod:`qat.graph.arguments`); a value that the
            network computes from sizes is a node.
    """

    node: fx.Node
    kind: str
    name: str
    inputs: tuple[fx.Node, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)


def operations(traced: fx.GraphModule) -> dict[fx.Node, Operation]:
    """Return every operation on tensors, in execution order.

    Args:
        traced: A float or quantized network, traced.

    Raises:
        UnsupportedOperationError: If an operation is not in the vocabulary, or has an argument
            that is not understood; the message names its line.

    Example:
        >>> traced = fx.symbolic_trace(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
        >>> [operation.kind for operation in operations(traced).values()]
        ['input', 'linear', 'relu', 'output']
    """
    by_node: dict[fx.Node, Operation] = {}
    calls: dict[str, int] = {}
    for node in traced.graph.nodes:
        read = _read(node, traced, by_node)
        if read is not None:
            kind, arguments = read
            inputs = tuple(n for n in _tensors(node, kind) if n in by_node)
            name = _unique(_name(node, kind), calls)
            by_node[node] = Operation(node, kind, name, inputs, arguments)
    for operation in by_node.values():
        _check(operation)
    return by_node


def _read(
    node: fx.Node, traced: fx.GraphModule, tensors: Mapping[fx.Node, Operation]
) -> tuple[str, dict[str, Any]] | None:
    """Return kind and arguments of a node; None if it is computed from no tensor."""
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
    """Return the error for an operation without an integer form, with a remedy."""
    return UnsupportedOperationError(
        f"{reason}: use scheme.placement=academic, which leaves it float, or write it differently"
    )


def _gives_plain(node: fx.Node) -> bool:
    if node.op == "call_method":
        return node.target in _PLAIN_METHODS
    return node.target is getattr and node.args[1] in _PLAIN_ATTRIBUTES


def _rectifier(arguments: Mapping[str, Any]) -> str:
    """Return the kind of a clamp: ``relu6`` between 0 and 6, ``relu`` from 0."""
    low, high = (arguments.get(n, arguments.get(f"{n}_val")) for n in ("min", "max"))
    if not isinstance(low, int | float) or low != 0 or high not in (None, 6):
        raise ArgumentError(f"clamps to {low}..{high} (0..6 and 0..None are ReLU6 and ReLU)")
    return "relu" if high is None else "relu6"


def _tensors(node: fx.Node, kind: str) -> Sequence[fx.Node]:
    """Return the nodes that it reads, in order; a node read twice (``x + x``) is there twice."""
    if kind in ("add", "mul"):
        arguments = [
            *node.args[:2],
            *(node.kwargs[k] for k in ("input", "other") if k in node.kwargs),
        ]
    elif kind == "concat":
        listed: Any = node.args[0] if node.args else node.kwargs["tensors"]
        arguments = [] if isinstance(listed, fx.Node) else list(listed)
    else:
        arguments = list(node.all_input_nodes)
    return [argument for argument in arguments if isinstance(argument, fx.Node)]


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


def _unique(name: str, calls: dict[str, int]) -> str:
    calls[name] = calls.get(name, 0) + 1
    return name if calls[name] == 1 else f"{name}:{calls[name]}"
