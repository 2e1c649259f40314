"""Rewriting a traced graph so that it means what it says.

A graph is read as if its operations were functions of the image. Some Python is not: what looks at
``self.training`` or at further arguments while it runs, and what changes a tensor in place.
"""

import inspect
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn
from torchvision.ops import StochasticDepth, stochastic_depth

DROPOUTS: Mapping[Callable[..., Any], Callable[[Mapping[str, Any]], nn.Module]] = {
    F.dropout: lambda given: nn.Dropout(given.get("p", 0.5), given.get("inplace", False)),
    F.dropout2d: lambda given: nn.Dropout2d(given.get("p", 0.5), given.get("inplace", False)),
    stochastic_depth: lambda given: StochasticDepth(given["p"], given["mode"]),
}
_IN_PLACE: Mapping[Callable[..., Any], Callable[..., Any]] = {
    operator.iadd: operator.add,
    operator.imul: operator.mul,
    F.relu_: F.relu,
    torch.relu_: torch.relu,
}


def defaults(root: nn.Module) -> dict[str, Any]:
    """Those arguments of ``forward`` behind the image that are plain values by default."""
    arguments = list(inspect.signature(root.forward).parameters.values())[1:]
    plain = (bool, int, float, str, type(None))
    return {a.name: a.default for a in arguments if isinstance(a.default, plain)}


def without_arguments(graph: fx.Graph) -> None:
    """Drop what a graph was specialized by, that it checks them, and starred ones without use."""
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
        root: What was traced; gets the layers, each in the training mode of the module that
            calls it.
        graph: Of ``root``.

    Yields:
        Dropouts that drop in evaluation mode as well: they are left as they are.
    """
    for node in list(graph.nodes):
        if node.op != "call_function" or node.target not in DROPOUTS:
            continue
        given = _arguments(node)
        if given.get("training", True):
            yield node
            continue
        layer = DROPOUTS[node.target](given)
        layer.train(root.get_submodule(scope(node)).training)
        name = free_name(root, node.name)
        root.add_module(name, layer)
        with graph.inserting_after(node):
            called = graph.call_module(name, (given["input"],))
        called.meta = dict(node.meta)
        node.replace_all_uses_with(called)
        graph.erase_node(node)


def without_side_effects(root: nn.Module, graph: fx.Graph) -> None:
    """Operations in place become functions, and what reads their input afterwards their result.

    So autograd takes them too: a rounded tensor may not be changed in place. Of a changed view of
    a tensor (``x[:, 0].relu_()``) the tensor itself is not followed.
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
    """A size, or what is computed from sizes: ``n += 1`` leaves other names of n alone."""
    if node.op == "call_method" and node.target in ("size", "dim"):
        return True
    if node.target is getattr and node.args[1] in ("shape", "ndim"):
        return True
    return node.op == "call_function" and all(n in numbers for n in node.all_input_nodes)


def _became_function(node: fx.Node) -> bool:
    """Make an operation that changes its input one that does not; False if it never did."""
    if isinstance(node.target, str):
        changes = node.op == "call_method" and re.fullmatch(r".*[^_]_", node.target) is not None
        node.target = node.target[:-1] if changes else node.target
        return changes
    if node.target in _IN_PLACE:
        node.target = _IN_PLACE[node.target]
        return True
    given = dict(_arguments(node))
    if not given.get("inplace", False):
        return False
    node.args, node.kwargs = (given.pop("input"),), {**given, "inplace": False}
    return True


def _arguments(node: fx.Node) -> Mapping[str, Any]:
    """Of a Python function, by their names; none of a built-in one."""
    try:
        signature = inspect.signature(node.target)  # type: ignore[arg-type]
    except ValueError:
        return node.kwargs
    return signature.bind(*node.args, **node.kwargs).arguments


def scope(node: fx.Node) -> str:
    """Path of the module that an operation is called in; empty for the network itself."""
    stack = node.meta.get("nn_module_stack", {}).values()
    return next((path for path, _ in reversed(stack) if path), "")


def free_name(root: nn.Module, wanted: str) -> str:
    """``wanted``, with underscores behind it while the module has an attribute of that name."""
    name = wanted
    while hasattr(root, name):
        name += "_"
    return name
