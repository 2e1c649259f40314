"""The smallest value of each tensor, which decides a sign that the scheme leaves open."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.base.progress import Track
from qat.core.evaluation_mode import evaluating
from qat.graph.points import Placement, place
from qat.graph.shapes import layer_calls
from qat.graph.trace import trace
from qat.layers.registry import twin_of


def tensor_minima(
    net: nn.Module, placement: str, batches: Iterable[Any], track: Track | None = None
) -> dict[str, float]:
    """Return the smallest value of every tensor that a plan may quantize, over all images.

    Args:
        net: A float network.
        placement: ``academic`` for inputs of layers, ``integer`` for stored tensors.
        batches: Preprocessed images, or tuples that begin with them.
        track: Wraps the batches to show progress; None shows none.

    Returns:
        Layer or tensor → smallest value, in order of first use.

    Raises:
        TraceError: If placement is ``integer`` and the network cannot be traced.
        UnsupportedOperationError: If placement is ``integer`` and an operation has no integer
            form; the message names its line.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> tensor_minima(net, "academic", [torch.tensor([[-3.0, 1.0]])])["0"]
        -3.0
    """
    minima_of = input_minima
    if placement == "integer":
        traced = trace(net)
        points = place(traced)

        def minima_of(net: nn.Module, images: Tensor) -> dict[str, float]:
            return stored_minima(traced, points, images)

    minima: dict[str, float] = {}
    for batch in track(batches) if track else batches:
        minima = lower(minima, minima_of(net, batch if isinstance(batch, Tensor) else batch[0]))
    return minima


def lower(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Return the smaller of two minima of each tensor.

    Args:
        first: Tensor → smallest value.
        second: Tensor → smallest value over other images.

    Example:
        >>> lower({"a": 0.0, "b": -1.0}, {"a": -2.0, "c": 5.0})
        {'a': -2.0, 'b': -1.0, 'c': 5.0}
    """
    return {**first, **{n: min(low, first.get(n, low)) for n, low in second.items()}}


def input_minima(net: nn.Module, images: Tensor) -> dict[str, float]:
    """Return the smallest input of each layer that can be quantized, in order of first call.

    Args:
        net: A float network.
        images: Preprocessed images.
    """
    lowest: dict[str, float] = {}
    for call in layer_calls(net, images):
        if twin_of(net.get_submodule(call.name)) is not None:
            lowest[call.name] = min(call.input_min, lowest.get(call.name, call.input_min))
    return lowest


@torch.no_grad()
def stored_minima(traced: fx.GraphModule, placement: Placement, images: Tensor) -> dict[str, float]:
    """Return the smallest value of each tensor that an integer network stores.

    Args:
        traced: The traced float network.
        placement: The places of its quantizers.
        images: Preprocessed images.

    Returns:
        Name of a point of ``placement`` → smallest value, in execution order.
    """
    names = {point.node: point.name for point in placement.points.values()}
    minima = _Minima(traced, names)
    with evaluating(traced):
        minima.run(images)
    return minima.lowest


class _Minima(fx.Interpreter):
    """Runs a network and notes the smallest value of some nodes, by name."""

    def __init__(self, traced: fx.GraphModule, names: Mapping[fx.Node, str]) -> None:
        super().__init__(traced)
        self.names = names
        self.lowest: dict[str, float] = {}

    def run_node(self, n: fx.Node) -> object:
        """Compute a node."""
        value = super().run_node(n)
        if n in self.names:
            self.lowest[self.names[n]] = float(value.amin())
        return value
