"""Chains of a float network: a layer, what follows it, and the layer that alone reads that.

Only operations that keep the channels apart, and that give ``s * y`` for ``s * x`` with ``s > 0``,
may be between the two layers: ReLU, ReLU6 (whose limit has to be scaled as well), pools, zero
padding, dropout in evaluation mode, identity, and flattening.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

from qat.graph.trace import trace
from qat.layers.registry import twin_of
from qat.ptq.clip import ChannelClip

_KINDS: Mapping[Any, str] = {
    **dict.fromkeys((nn.ReLU, F.relu, torch.relu, "relu"), "relu"),
    **dict.fromkeys((nn.ReLU6, ChannelClip), "limit"),
    **dict.fromkeys((nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d), "pool"),
    **dict.fromkeys((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d), "pool"),
    **dict.fromkeys((F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, nn.ZeroPad2d), "pool"),
    **dict.fromkeys((nn.Flatten, torch.flatten, "flatten"), "flatten"),
    **dict.fromkeys((nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d), "pass"),
}
"""Class, function or method → what it does to the channels."""


@dataclass(frozen=True)
class Chain:
    """Two layers, and the activation between them.

    Attributes:
        first: Name of the layer that makes the channels.
        second: Name of the layer that alone reads them.
        activation: ``none``, ``relu``, ``relu6`` or ``clip``.
        limiter: Name of the ReLU6 or :class:`qat.ptq.clip.ChannelClip` between them; None if there
            is none.
        pools: Whether a pool or a padding, which changes the distribution of values, is between
            them.
    """

    first: str
    second: str
    activation: str = "none"
    limiter: str | None = None
    pools: bool = False


def chains(net: nn.Module) -> list[Chain]:
    """Find the chains of a float network, in execution order.

    Both layers are convolutions or linear layers that are called once.

    Args:
        net: A float network; it is not changed.

    Raises:
        TraceError: If the network cannot be traced; the message names the line.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))
        >>> chains(net)
        [Chain(first='0', second='2', activation='relu', limiter=None, pools=False)]
    """
    traced = trace(net)
    calls = Counter(str(node.target) for node in traced.graph.nodes if node.op == "call_module")
    found = []
    for node in traced.graph.nodes:
        if _is_layer(node, traced) and calls[str(node.target)] == 1:
            chain = _followed(node, traced, calls)
            if chain is not None and _fits(chain, net):
                found.append(chain)
    return found


def _followed(node: fx.Node, traced: nn.Module, calls: Counter[str]) -> Chain | None:
    """The chain that begins at a layer; None if another operation or a branch comes first."""
    first, activation, limiter, kinds = str(node.target), "none", None, set[str]()
    for after in _only_users(node):
        if _is_layer(after, traced):
            second = str(after.target)
            own = calls[second] == 1 and _same_channels(first, second, kinds, traced)
            pools = not kinds.isdisjoint(("pool", "mean"))
            return Chain(first, second, activation, limiter, pools) if own else None
        kind = _kind(after, traced)
        if kind == "limit":
            is_linear = isinstance(traced.get_submodule(first), nn.Linear)
            if calls[str(after.target)] > 1 or activation != "none" or is_linear:
                return None
            limiter = str(after.target)
            is_clip = isinstance(traced.get_submodule(limiter), ChannelClip)
            activation = "clip" if is_clip else "relu6"
        elif kind == "relu":
            activation = "relu" if activation == "none" else activation
        elif kind is None:
            return None
        kinds.add(kind)
    return None


def _same_channels(first: str, second: str, kinds: set[str], traced: nn.Module) -> bool:
    """Whether the second layer's inputs are the first one's channels.

    A linear layer reads the last axis: the channels of a convolution must be flattened before it.
    """
    linear = [isinstance(traced.get_submodule(name), nn.Linear) for name in (first, second)]
    return (linear == [False, True]) == (not kinds.isdisjoint(("flatten", "mean")))


def _only_users(node: fx.Node) -> Iterator[fx.Node]:
    """Each next operation, as long as only one reads the value."""
    while len(node.users) == 1:
        node = next(iter(node.users))
        yield node


def _is_layer(node: fx.Node, traced: nn.Module) -> bool:
    return node.op == "call_module" and twin_of(traced.get_submodule(str(node.target))) is not None


def _kind(node: fx.Node, traced: nn.Module) -> str | None:
    """``relu limit pool flatten mean pass``; None for an operation that no chain has."""
    target: Any = node.target
    module = None
    if node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        target = type(module)
    kind = _KINDS.get(target)
    if kind == "flatten" and _first_axis(node, module) != 1:
        return None
    if target == "mean":
        axes: Any = node.args[1] if len(node.args) == 2 and not node.kwargs else ()
        is_global = isinstance(axes, list | tuple) and {axis % 4 for axis in axes} == {2, 3}
        return "mean" if is_global else None
    return kind


def _first_axis(node: fx.Node, module: nn.Module | None) -> Any:
    """The axis from which a flattening begins."""
    if module is not None:
        return module.start_dim
    return node.args[1] if len(node.args) > 1 else node.kwargs.get("start_dim", 0)


def _fits(chain: Chain, net: nn.Module) -> bool:
    """Whether the numbers of channels agree; a flattening multiplies them."""
    outputs = len(net.get_submodule(chain.first).weight)  # type: ignore[arg-type]
    second = net.get_submodule(chain.second)
    inputs = int(getattr(second, "in_channels", getattr(second, "in_features", 0)))
    return inputs == outputs or (isinstance(second, nn.Linear) and inputs % outputs == 0)
