"""Training mode and evaluation mode of a network that is read as a graph.

A graph is one way through ``forward``, that of evaluation mode. What a network does otherwise in
training is kept as a layer, honoured, or found and named.
"""

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx, nn

from qat.graph.rewrite import DROPOUTS

CONSTANT = "_tensor_constant"
"""What torch.fx names a tensor of no parameter; the number behind it is that of a trace."""
_HELD = "held_in_evaluation"
"""Attribute of a layer that the network's own ``train()`` keeps in evaluation mode."""


class TracedNetwork(fx.GraphModule):
    """A traced network whose ``train()`` does what the network's own did."""

    def train(self, mode: bool = True) -> "TracedNetwork":
        """Switch all layers, but those that are held in evaluation mode."""
        super().train(mode)
        for module in self.modules():
            if getattr(module, _HELD, False):
                module.eval()
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """A plain graph module would be read back."""
        return _restored, tuple(super().__reduce__())


def _restored(make: Callable[..., fx.GraphModule], arguments: tuple[Any, ...]) -> TracedNetwork:
    plain = make(*arguments)
    own = TracedNetwork(plain, plain.graph, type(plain).__name__)
    own.meta.update(plain.meta)
    own.training = plain.training
    return own


def hold_evaluation(net: nn.Module) -> None:
    """Mark what stays in evaluation mode when ``net.train()`` is called."""
    before = {module: module.training for module in net.modules()}
    net.train()
    for module in net.modules():
        if not module.training:
            setattr(module, _HELD, True)
    for module, training in before.items():
        module.training = training


def keep_training_alone(net: nn.Module) -> None:
    """Mark layers that pass their input on in evaluation mode alone, such as a ``DropPath``.

    They stay layers of the traced graph, and go on doing what they do in training.
    """
    for module in net.modules():
        leaf = next(module.children(), None) is None and next(module.parameters(), None) is None
        torchs = type(module).__module__.startswith("torch.nn")
        if torchs or not leaf or module is net:
            continue
        if _passes_on(module, training=False) and not _passes_on(module, training=True):
            module.quantized_leaf = "identity"  # type: ignore[assignment]


def _passes_on(module: nn.Module, training: bool) -> bool:
    """Whether ``forward`` gives its only argument itself, in a mode."""
    own = copy.copy(module)
    own.training = training
    try:
        nodes = list(fx.Tracer().trace(own).nodes)
    except Exception:  # it decides by values: no graph can hold it
        return False
    return [node.op for node in nodes] == ["placeholder", "output"] and nodes[1].args[0] is nodes[0]


def first_difference(evaluation: fx.Graph, training: fx.Graph) -> fx.Node | None:
    """The first node of a training graph that the evaluation graph has not; None if none differs.

    How likely a dropout drops, and whether it does, is no difference.
    """
    pairs = zip(_described(evaluation), _described(training), strict=False)
    for (_, before), (node, after) in pairs:
        if before != after:
            return node
    longer = list(training.nodes)[len(evaluation.nodes) :]
    return longer[0] if longer else None


def _described(graph: fx.Graph) -> Iterator[tuple[fx.Node, Any]]:
    order = {node: index for index, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        arguments: Any = (node.args, node.kwargs)
        if node.op == "call_function" and node.target in DROPOUTS:
            found = inspect.signature(node.target).bind(*node.args, **node.kwargs).arguments  # type: ignore[arg-type]
            arguments = found.get("input")
        told = fx.node.map_aggregate(arguments, lambda part: _plain(part, order))
        constant = node.op == "get_attr" and str(node.target).startswith(CONSTANT)
        yield node, (node.op, CONSTANT if constant else node.target, told)


def _plain(part: Any, order: dict[fx.Node, int]) -> Any:
    if isinstance(part, fx.Node):
        return ("node", order[part])
    return repr(part) if isinstance(part, torch.Tensor) else part
