"""Training mode and evaluation mode of a network that is traced into a graph.

A graph is one path through ``forward``: the path of evaluation mode. Layers that work only in
training are kept as layers, layers that the network holds in evaluation mode stay in it, and any
other difference between the two modes is detected and reported.
"""

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx, nn

from qat.graph.rewrite import dropout_layer

CONSTANT = "_tensor_constant"
"""Name that torch.fx gives a tensor that is no parameter, followed by a number of the trace."""
_HELD = "held_in_evaluation"
"""Attribute that marks a layer which the network's own ``train()`` keeps in evaluation mode."""


class TracedNetwork(fx.GraphModule):
    """A traced network whose ``train()`` switches the same layers as the network's own."""

    def train(self, mode: bool = True) -> "TracedNetwork":
        """Set the mode of all layers except those that are held in evaluation mode.

        Args:
            mode: True for training, false for evaluation.
        """
        super().train(mode)
        for module in self.modules():
            if getattr(module, _HELD, False):
                module.eval()
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as this class; torch would restore a plain graph module."""
        return _restored, tuple(super().__reduce__())


def _restored(make: Callable[..., fx.GraphModule], arguments: tuple[Any, ...]) -> TracedNetwork:
    plain = make(*arguments)
    traced = TracedNetwork(plain, plain.graph, type(plain).__name__)
    traced.meta.update(plain.meta)
    traced.training = plain.training
    return traced


def mark_held_layers(net: nn.Module) -> None:
    """Mark the modules that stay in evaluation mode when ``net.train()`` is called.

    The modes of all modules are as before afterwards.
    """
    before = {module: module.training for module in net.modules()}
    net.train()
    for module in net.modules():
        if not module.training:
            setattr(module, _HELD, True)
    for module, training in before.items():
        module.training = training


def mark_training_only_layers(net: nn.Module) -> None:
    """Mark layers that return their input in evaluation mode only, such as a ``DropPath``.

    They stay layers of the traced graph and keep their effect in training.
    """
    for module in net.modules():
        leaf = next(module.children(), None) is None and next(module.parameters(), None) is None
        torchs = type(module).__module__.startswith("torch.nn")
        if torchs or not leaf or module is net:
            continue
        if _passes_on(module, training=False) and not _passes_on(module, training=True):
            module.quantized_leaf = "identity"  # type: ignore[assignment]


def _passes_on(module: nn.Module, training: bool) -> bool:
    """Return whether ``forward`` returns its only argument unchanged in this mode."""
    copied = copy.copy(module)
    copied.training = training
    try:
        nodes = list(fx.Tracer().trace(copied).nodes)
    except Exception:  # it branches on values, so no graph can represent it
        return False
    return [node.op for node in nodes] == ["placeholder", "output"] and nodes[1].args[0] is nodes[0]


def first_difference(evaluation: fx.Graph, training: fx.Graph) -> fx.Node | None:
    """Return the first node of the training graph that the evaluation graph lacks.

    The probability and the mode of a dropout do not count as a difference.

    Args:
        evaluation: Graph traced in evaluation mode.
        training: Graph of the same network traced in training mode.

    Returns:
        A node of ``training``; None if the graphs agree.

    Example:
        >>> first = fx.symbolic_trace(lambda x: x.relu()).graph
        >>> second = fx.symbolic_trace(lambda x: x.relu().sigmoid()).graph
        >>> first_difference(first, second)
        sigmoid
    """
    pairs = zip(_described(evaluation), _described(training), strict=False)
    for (_, before), (node, after) in pairs:
        if before != after:
            return node
    return None  # each graph ends in its only output node, so neither is longer


def _described(graph: fx.Graph) -> Iterator[tuple[fx.Node, Any]]:
    order = {node: index for index, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        arguments: Any = (node.args, node.kwargs)
        if node.op == "call_function" and dropout_layer(node.target):
            bound = inspect.signature(node.target).bind(*node.args, **node.kwargs).arguments  # type: ignore[arg-type]
            arguments = bound.get("input")
        described = fx.node.map_aggregate(arguments, lambda part: _plain(part, order))
        constant = node.op == "get_attr" and str(node.target).startswith(CONSTANT)
        yield node, (node.op, CONSTANT if constant else node.target, described)


def _plain(part: Any, order: dict[fx.Node, int]) -> Any:
    if isinstance(part, fx.Node):
        return ("node", order[part])
    return repr(part) if isinstance(part, torch.Tensor) else part
