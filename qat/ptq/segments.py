"""A network cut into segments that pass one tensor on, so that activations are computed once.

A cut is a place where all that follows reads one tensor only, as between two residual blocks. A
segment begins at a cut and ends at the last cut before the next segment's first quantized layer, so
that each has at least one such layer and the activation behind it. A residual block is one segment.
The quantized network and its float counterpart have the same segments, since they differ only in
the modules behind the names. A network that cannot be traced is one segment.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.core.evaluation_mode import evaluating
from qat.graph.trace import TraceError, trace
from qat.layers.twin import QuantTwin
from qat.layers.walk import tensors, twins


class Segment:
    """A part of a network from one tensor to one tensor.

    Args:
        names: Its quantized layers, in execution order.
        nodes: Its operations in execution order; empty for a whole network.
        entry: Node of the tensor that it reads; None for a whole network.
        spare: Modules that only the traced network has, such as functional dropouts.

    Attributes:
        names: Its quantized layers, in execution order.
        following: The segments behind it, to the end of the network.
    """

    def __init__(
        self,
        names: Sequence[str],
        nodes: Sequence[fx.Node] = (),
        entry: fx.Node | None = None,
        spare: nn.Module | None = None,
    ) -> None:
        self.names = tuple(names)
        self.following: tuple[Segment, ...] = ()
        self._nodes, self._entry, self._spare = tuple(nodes), entry, spare

    def run(self, net: nn.Module, x: Tensor) -> Tensor:
        """Compute the segment with the modules of a network, with gradients if they are enabled.

        Args:
            net: The quantized network or its float counterpart.
            x: The tensor that enters the segment.
        """
        if self._entry is None:
            return net(x)  # type: ignore[no-any-return]
        values: dict[fx.Node, Any] = {self._entry: x}
        result: Any = x
        for node in self._nodes:
            result = self._value(node, net, values)
            values[node] = result
        return result  # type: ignore[no-any-return]

    def paths(self, net: nn.Module) -> tuple[str, ...]:
        """Paths of its quantized layers and quantized tensors, in execution order.

        Args:
            net: The quantized network.
        """
        if self._entry is None:
            return (*self.names, *(path for path, _ in tensors(net)))
        known = {*(name for name, _ in twins(net)), *(path for path, _ in tensors(net))}
        called = [str(node.target) for node in self._nodes if node.op == "call_module"]
        return tuple(path for path in dict.fromkeys(called) if path in known)

    def _value(self, node: fx.Node, net: nn.Module, values: Mapping[fx.Node, Any]) -> Any:
        """The value of one node; the earlier ones are known."""

        def read(n: fx.Node) -> Any:
            return values[n] if n in values else self._value(n, net, values)  # get_attr before it

        if node.op == "output":
            return fx.node.map_arg(node.args[0], read)
        if node.op == "get_attr":
            owner, _, name = str(node.target).rpartition(".")
            return getattr(self._module(net, owner, name), name)
        args, kwargs = fx.node.map_arg(node.args, read), fx.node.map_arg(node.kwargs, read)
        if node.op == "call_module":
            return self._module(net, str(node.target))(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        return node.target(*args, **kwargs)  # type: ignore[operator]

    def _module(self, net: nn.Module, path: str, attribute: str = "") -> nn.Module:
        try:
            module = net.get_submodule(path)
        except AttributeError:
            module = None
        if module is not None and (not attribute or hasattr(module, attribute)):
            return module
        assert self._spare is not None
        return self._spare.get_submodule(path)


@torch.no_grad()
def segments(qnet: nn.Module, example: Tensor) -> list[Segment]:
    """Cut a quantized network into segments.

    Args:
        qnet: The quantized network, calibrated.
        example: A batch of images, which shows at which places a tensor with one row for each
            image passes.

    Example:
        >>> from qat.convert.calibrate import calibrate
        >>> from qat.convert.rules import make_plan
        >>> from qat.convert.swap import quantize
        >>> from qat.core.scheme import Scheme
        >>> net, x = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)), torch.ones(4, 2)
        >>> qnet = quantize(net, make_plan(net, Scheme(), x))
        >>> calibrate(qnet, [x])
        >>> [segment.names for segment in segments(qnet, x)]
        [('0',), ('2',)]
    """
    try:
        traced = qnet if isinstance(qnet, fx.GraphModule) else trace(qnet)
    except TraceError:
        return [Segment(_execution_order(qnet, example))]
    nodes = [node for node in traced.graph.nodes if node.op != "placeholder"]
    entry = next(node for node in traced.graph.nodes if node.op == "placeholder")
    cuts = _cuts(entry, nodes, qnet, traced, example)
    return _joined(entry, nodes, cuts, qnet, traced)


def _joined(
    entry: fx.Node, nodes: list[fx.Node], cuts: list[int], qnet: nn.Module, traced: nn.Module
) -> list[Segment]:
    """The segments between cuts, each up to the cut before the next quantized layer."""
    named = dict(twins(qnet))
    parts: list[Segment] = []
    begin = 0
    while begin < len(nodes):
        layers = [i for i in range(begin, len(nodes)) if _is_layer(nodes[i], named)]
        inner = [cut for cut in cuts if layers and cut >= layers[0]]
        end = inner[0] if inner else len(nodes) - 1
        following = [i for i in layers if i > end]
        behind = [cut for cut in inner if following and cut < following[0]]
        end = behind[-1] if behind else len(nodes) - 1
        own = nodes[begin : end + 1]
        names = [str(node.target) for node in own if _is_layer(node, named)]
        parts.append(Segment(list(dict.fromkeys(names)), own, entry, traced))
        entry, begin = nodes[end], end + 1
    for place, part in enumerate(parts):
        part.following = tuple(parts[place + 1 :])
    return parts


def _is_layer(node: fx.Node, named: Mapping[str, QuantTwin]) -> bool:
    return node.op == "call_module" and str(node.target) in named


def _cuts(
    entry: fx.Node,
    nodes: Sequence[fx.Node],
    qnet: nn.Module,
    traced: nn.Module,
    example: Tensor,
) -> list[int]:
    """Places of the nodes behind which only their own value, one row an image, is read."""
    whole = Segment((), nodes, entry, traced)
    order = {node: place for place, node in enumerate(nodes)}
    last = {node: max((order[user] for user in node.users), default=-1) for node in (entry, *nodes)}
    values: dict[fx.Node, Any] = {entry: example}
    cuts = []
    open_values = {entry}
    with evaluating(qnet):
        for place, node in enumerate(nodes):
            values[node] = whole._value(node, qnet, values)
            if node.op != "get_attr":
                open_values.add(node)
            open_values = {n for n in open_values if last[n] > place}
            value = values[node]
            is_batch = isinstance(value, Tensor) and value.ndim > 0 and len(value) == len(example)
            if open_values == {node} and is_batch:
                cuts.append(place)
            for done in [n for n in values if last[n] <= place and n.op != "get_attr"]:
                del values[done]
    return cuts


@torch.no_grad()
def _execution_order(qnet: nn.Module, example: Tensor) -> list[str]:
    """Names of the quantized layers in the order of their first call."""
    order: dict[str, None] = {}

    def hook_of(name: str) -> Any:
        return lambda *_: order.setdefault(name)

    handles = [twin.register_forward_hook(hook_of(name)) for name, twin in twins(qnet)]
    try:
        with evaluating(qnet):
            qnet(example)
    finally:
        for handle in handles:
            handle.remove()
    return list(order)
