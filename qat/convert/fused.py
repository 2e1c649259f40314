"""A quantized network whose additions and ReLUs are computed together with the rounding.

Only the training step uses it: it has the parameters and modules of the quantized network, and
computes the same outputs and gradients with fewer passes over the activations
(:mod:`qat.core.rounding`). All weights are rounded in one step, once also for a layer that is
called several times (:mod:`qat.core.rounding_many`).
"""

import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.convert.fused_weights import insert_weights
from qat.core.rounding import activated, activated_and_rounded, activated_then_rounded
from qat.graph.arguments import form_of
from qat.graph.rewrite import free_name
from qat.graph.trace import TraceError
from qat.graph.training_graph import training_graph
from qat.layers.tensor import QuantTensor
from qat.layers.twin import QuantTwin
from qat.quantizers.base import Quantizer
from qat.quantizers.fusible import is_fusible

_ADDITIONS = (operator.add, operator.iadd, torch.add)


class FusedRounding(nn.Module):
    """``y = activation(x + addend)``, and ``y`` rounded by a quantizer.

    Args:
        quantizer: A quantizer of the network, which keeps it as its own submodule.
        activation: ``none``, ``relu`` or ``relu6``.
        returns_y: Whether ``y`` is returned too, because other operations read it.
    """

    def __init__(self, quantizer: Quantizer, activation: str, returns_y: bool) -> None:
        super().__init__()
        self._quantizer = (quantizer,)  # in a tuple, so that it is not registered twice
        self.activation, self.returns_y = activation, returns_y

    def forward(self, x: Tensor, addend: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """Compute both together; one after the other where the quantizer does more than round.

        Args:
            x: Input.
            addend: Tensor of the same shape and dtype; None adds nothing.
        """
        (quantizer,) = self._quantizer
        if not _fits(x, addend) or not is_fusible(quantizer):
            y = activated(x, addend, self.activation)
            return (y, quantizer(y)) if self.returns_y else quantizer(y)
        fused = activated_and_rounded if self.returns_y else activated_then_rounded
        return fused(x, addend, quantizer.rounding(x), self.activation)


def fused(qnet: nn.Module) -> nn.Module | None:
    """Return a network that computes as ``qnet`` does in its present modes, with fused roundings.

    Args:
        qnet: A quantized network; the result shares its parameters and modules, and follows their
            modes and phases.

    Returns:
        The network; None if ``qnet`` cannot be traced or has nothing to fuse.

    Example:
        >>> from qat.convert.rules import make_plan
        >>> from qat.convert.swap import quantize
        >>> from qat.core.scheme import Scheme
        >>> net, x = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)), torch.ones(1, 2)
        >>> qnet = quantize(net, make_plan(net, Scheme(), x))
        >>> [node.name for node in fused(qnet).graph.nodes if node.op == "call_module"]
        ['fused_weights', '_0', 'fused_0', '_2']
    """
    try:
        traced = fx.GraphModule(qnet, training_graph(qnet))
    except TraceError:
        return None
    folder, modules = free_name(traced, "fused"), nn.Module()
    traced.add_module(folder, modules)
    for reader in list(traced.graph.nodes):
        if (chain := _chain(traced, reader)) is not None:
            _insert(traced, chain, f"{folder}.{len(modules._modules)}")
    insert_weights(traced, f"{folder}.weights")
    traced.graph.lint()
    traced.recompile()
    return traced if modules._modules else None


@dataclass(frozen=True)
class _Chain:
    """Nodes that become one.

    Attributes:
        reader: The quantized layer or tensor that rounds.
        quantizer: What it rounds with.
        end: The node whose output is rounded.
        activation: ``none``, ``relu`` or ``relu6``.
        inputs: One node, or the two that are added.
        nodes: All nodes that are replaced, the last first.
    """

    reader: fx.Node
    quantizer: Quantizer
    end: fx.Node
    activation: str
    inputs: tuple[fx.Node, ...]
    nodes: tuple[fx.Node, ...]


def _chain(traced: fx.GraphModule, reader: fx.Node) -> _Chain | None:
    """The chain that ends in the quantizer of a node; None if there is none."""
    quantizer = _quantizer_of(traced, reader)
    if quantizer is None or not isinstance(reader.args[0], fx.Node):
        return None
    end = reader.args[0]
    # Of three readers or more, the first must round: gradients are then summed in the same order.
    if len(end.users) > 2 and next(iter(end.users)) is not reader:
        return None
    activation, addition = _activation(traced, end), end
    if activation != "none":
        addition = end.args[0] if isinstance(end.args[0], fx.Node) else end
        if _is_in_place(traced, end) and not _is_own(addition):
            return None
    added = _added(addition) if addition is end or set(addition.users) == {end} else None
    if added is not None:
        nodes = (end,) if addition is end else (end, addition)
        return _Chain(reader, quantizer, end, activation, added, nodes)
    if activation == "none":
        return None
    return _Chain(reader, quantizer, end, activation, (addition,), (end,))


def _insert(traced: fx.GraphModule, chain: _Chain, path: str) -> None:
    returns_y = set(chain.end.users) != {chain.reader}
    module = FusedRounding(chain.quantizer, chain.activation, returns_y)
    traced.add_submodule(path, module)
    graph = traced.graph
    with graph.inserting_after(chain.end):
        result = graph.call_module(path, chain.inputs)
    rounded = result
    if returns_y:
        with graph.inserting_after(result):
            rounded = graph.call_function(operator.getitem, (result, 1))
            y = graph.call_function(operator.getitem, (result, 0))
    chain.reader.args = (rounded,)
    chain.reader.kwargs = {"rounded": True}
    if returns_y:
        chain.end.replace_all_uses_with(y)
    for node in chain.nodes:
        graph.erase_node(node)


def _quantizer_of(traced: fx.GraphModule, node: fx.Node) -> Quantizer | None:
    """The quantizer that rounds the only argument of a node."""
    if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
        return None
    module = traced.get_submodule(str(node.target))
    quantizer: Any = None
    if isinstance(module, QuantTwin):
        quantizer = module.input_quantizer
    elif isinstance(module, QuantTensor):
        quantizer = module.quantizer
    return quantizer if isinstance(quantizer, Quantizer) else None


def _activation(traced: fx.GraphModule, node: fx.Node) -> str:
    module = traced.get_submodule(str(node.target)) if node.op == "call_module" else None
    if module is not None and not isinstance(module, nn.ReLU | nn.ReLU6):
        return "none"
    if module is not None and (module._forward_hooks or module._forward_pre_hooks):
        return "none"
    form = form_of(node, module) if node.op.startswith("call") else None
    return form.kind if form is not None and form.kind in ("relu", "relu6") else "none"


def _added(node: fx.Node) -> tuple[fx.Node, ...] | None:
    """The two tensors that a node adds; None if it does something else."""
    if node.op != "call_function" or node.target not in _ADDITIONS or node.kwargs:
        return None
    nodes = tuple(each for each in node.args if isinstance(each, fx.Node))
    if len(nodes) != 2 or (node.target is operator.iadd and not _is_own(nodes[0])):
        return None
    return nodes


def _is_in_place(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return bool(getattr(traced.get_submodule(str(node.target)), "inplace", False))
    name = getattr(node.target, "__name__", node.target)
    return str(name).endswith("_") or any((*node.args[1:], *node.kwargs.values()))


def _is_own(node: fx.Node) -> bool:
    """True if nothing but its one reader can see the memory of a node's output."""
    return len(node.users) == 1 and (node.op == "call_module" or node.target in _ADDITIONS)


def _fits(x: Tensor, addend: Tensor | None) -> bool:
    return addend is None or (x.shape == addend.shape and x.dtype == addend.dtype)
