"""Which tensors are ever negative: what decides a sign that the scheme leaves open."""

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
    """Smallest value of every tensor that a plan may quantize, over all images.

    Args:
        net: A float network.
        placement: ``academic`` for inputs of layers, ``integer`` for stored tensors.
        batches: Preprocessed images, or tuples that begin with them.
        track: Wraps the batches to show progress.

    Returns:
        Layer or tensor → smallest value, in order of first use.

    Raises:
        UnsupportedOperationError: If an operation has no integer form; its line is named.
    """
    look = input_minima
    if placement == "integer":
        traced = trace(net)
        points = place(traced)

        def look(net: nn.Module, images: Tensor) -> dict[str, float]:
            return stored_minima(traced, points, images)

    found: dict[str, float] = {}
    for batch in track(batches) if track else batches:
        found = lower(found, look(net, batch if isinstance(batch, Tensor) else batch[0]))
    return found


def lower(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """The smaller of two minima of each tensor."""
    return {**first, **{n: min(low, first.get(n, low)) for n, low in second.items()}}


def input_minima(net: nn.Module, images: Tensor) -> dict[str, float]:
    """Layer → smallest input, of each layer that has a twin, in order of first call."""
    lowest: dict[str, float] = {}
    for call in layer_calls(net, images):
        if twin_of(net.get_submodule(call.name)) is not None:
            lowest[call.name] = min(call.input_min, lowest.get(call.name, call.input_min))
    return lowest


@torch.no_grad()
def stored_minima(traced: fx.GraphModule, placement: Placement, images: Tensor) -> dict[str, float]:
    """Smallest value of each tensor that an integer network stores."""
    names = {point.node: point.name for point in placement.points.values()}
    found: dict[str, float] = {}

    class MinimaInterpreter(fx.Interpreter):
        def run_node(self, n: fx.Node) -> object:
            value = super().run_node(n)
            if n in names:
                found[names[n]] = float(value.min())
            return value

    with evaluating(traced):
        MinimaInterpreter(traced).run(images)
    return found
