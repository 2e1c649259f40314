"""Rewrites of a traced graph after which each operation is a function of the image.

Three kinds of Python code are not: code that reads ``self.training``, code that reads further
arguments of ``forward``, and code that changes a tensor in place.
"""

import inspect
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from qat.graph.stochastic_depth import stochastic_depth_functions, stochastic_depth_layer

LayerMaker = Callable[[Mapping[str, Any]], nn.Module]
"""From the arguments of a call to the layer that does the same."""
_DROPOUTS: Mapping[Callable[..., Any], LayerMaker] = {
    F.dropout: lambda args: nn.Dropout(args.get("p", 0.5), args.get("inplace", False)),
    F.dropout2d: lambda args: nn.Dropout2d(args.get("p", 0.5), args.get("inplace", False)),
}
_IN_PLACE: Mapping[Callable[..., Any], Callable[..., Any]] = {
    operator.iadd: operator.add,
    operator.imul: operator.mul,
    F.relu_: F.relu,
    torch.relu_: torch.relu,
}


def dropout_layer(function: Any) -> LayerMaker | None:
    """How the layer of a functional dropout is made; None if the function is no dropout."""
    if function in stochastic_depth_functions():
        return stochastic_depth_layer
    return _DROPOUTS.get(function)


def defaults(root: nn.Module) -> dict[str, Any]:
    """Return the defaults of those arguments of ``forward`` after the image that are plain values.

    Plain values are numbers, texts and None.

    Example:
        >>> defaults(nn.Upsample(2)), defaults(nn.MultiheadAttention(2, 1))["need_weights"]
        ({}, True)
    """
    arguments = list(inspect.signature(root.forward).parameters.values())[1:]
    plain = (bool, int, float, str, type(None))
    return {a.name: a.default for a in arguments if isinstance(a.default, plain)}


def without_arguments(graph: fx.Graph) -> None:
    """Remove the arguments after the image from a graph, in place.

    These are arguments that tracing replaced by their defaults, with the checks that torch.fx adds
    for them, and starred arguments (``*args``, ``**kwargs``) that nothing reads.
    """
    for node in reversed(graph.nodes):
        if node.op != "placeholder":
            continue
        if str(node.target).startswith("*") and not node.users:
            graph.erase_node(node)
        elif node.args:
            for check in list(node.users):
                for raising in list(check.users):
                    graph.erase_node(raising)
                graph.erase_node(check)
            graph.erase_node(node)


def dropouts_as_modules(root: nn.Module, graph: fx.Graph) -> Iterator[fx.Node]:
    """Turn each functional dropout of a graph traced in evaluation mode into a layer.

    Args:
        root: The traced module. It receives the new layers, each in the training mode of the
            module that calls it.
        graph: Graph of ``root``, changed in place.

    Yields:
        Dropouts that also drop in evaluation mode: they are not changed.
    """
    for node in list(graph.nodes):
        make = dropout_layer(node.target) if node.op == "call_function" else None
        if make is None:
            continue
        arguments = _arguments(node)
        if arguments.get("training", True):
            yield node
            continue
        layer = make(arguments)
        layer.train(root.get_submodule(scope(node)).training)
        name = free_name(root, node.name)
        root.add_module(name, layer)
        with graph.inserting_after(node):
            called = graph.call_module(name, (arguments["input"],))
        called.meta = dict(node.meta)
        node.replace_all_uses_with(called)
        graph.erase_node(node)


def without_side_effects(root: nn.Module, graph: fx.Graph) -> None:
    """Turn in-place operations into functions; later readers of their input read their result.

    Autograd needs this, because a rounded tensor may not be changed in place. If an operation
    changes a view of a tensor (``x[:, 0].relu_()``), readers of the tensor itself are not changed.

    Args:
        root: The traced module; its layers with ``inplace=True`` get ``inplace=False``.
        graph: Graph of ``root``, changed in place.
    """
    order = {node: index for index, node in enumerate(graph.nodes)}
    called = root.named_modules(remove_duplicate=False)
    layers = {name for name, layer in called if getattr(layer, "inplace", False)}
    numbers: set[fx.Node] = set()
    for node in graph.nodes:
        if _is_number(node, numbers):
            numbers.add(node)
        elif node.all_input_nodes and (node.target in layers or _became_function(node)):
            node.all_input_nodes[0].replace_all_uses_with(
                node, delete_user_cb=lambda user, here=node: order[user] > order[here]
            )
    for name in layers:
        root.get_submodule(name).inplace = False  # type: ignore[assignment]


def _is_number(node: fx.Node, numbers: set[fx.Node]) -> bool:
    """Return whether a node is a size, or computed from sizes.

    ``n += 1`` then changes no other name of n.
    """
    if node.op == "call_method" and node.target in ("size", "dim"):
        return True
    if node.target is getattr and node.args[1] in ("shape", "ndim"):
        return True
    return node.op == "call_function" and all(n in numbers for n in node.all_input_nodes)


def _became_function(node: fx.Node) -> bool:
    """Turn an operation that changes its input into one that does not.

    False if the operation does not change its input.
    """
    if isinstance(node.target, str):
        changes = node.op == "call_method" and re.fullmatch(r".*[^_]_", node.target) is not None
        node.target = node.target[:-1] if changes else node.target
        return changes
    if node.target in _IN_PLACE:
        node.target = _IN_PLACE[node.target]
        return True
    arguments = dict(_arguments(node))
    if not arguments.get("inplace", False):
        return False
    node.args, node.kwargs = (arguments.pop("input"),), {**arguments, "inplace": False}
    return True


def _arguments(node: fx.Node) -> Mapping[str, Any]:
    """Return the arguments by name; of a built-in function only those passed by name."""
    try:
        signature = inspect.signature(node.target)  # type: ignore[arg-type]
    except ValueError:
        return node.kwargs
    return signature.bind(*node.args, **node.kwargs).arguments


def scope(node: fx.Node) -> str:
    """Return the path of the module that calls an operation; empty for the network itself."""
    stack = node.meta.get("nn_module_stack", {}).values()
    return next((path for path, _ in reversed(stack) if path), "")


def free_name(root: nn.Module, wanted: str) -> str:
    """Return a name that is no attribute of a module yet, by adding underscores.

    Args:
        root: The module.
        wanted: The name to begin with.

    Example:
        >>> free_name(nn.Linear(1, 1), "scale"), free_name(nn.Linear(1, 1), "weight")
        ('scale', 'weight_')
    """
    name = wanted
    while hasattr(root, name):
        name += "_"
    return name
