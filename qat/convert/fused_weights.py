"""The weights of a quantized network, rounded in one step at the start of its graph."""

import operator
from collections.abc import Sequence

from torch import Tensor, fx, nn

from qat.core.rounding_many import all_rounded
from qat.layers.twin import QuantTwin
from qat.quantizers.base import Quantizer
from qat.quantizers.fusible import is_fusible


class RoundedWeights(nn.Module):
    """The rounded weights of several layers, each computed once.

    Args:
        layers: Layers of the network, which keeps them as its own submodules.
    """

    def __init__(self, layers: Sequence[QuantTwin]) -> None:
        super().__init__()
        self._layers = tuple(layers)  # in a tuple, so that they are not registered twice

    def forward(self) -> list[Tensor]:
        """Round those together whose quantizer only rounds, and the others one by one."""
        results = {}
        together = [layer for layer in self._layers if is_fusible(_weight_quantizer(layer))]
        if together:
            weights = [layer.weight for layer in together]
            roundings = [_weight_quantizer(layer).rounding(layer.weight) for layer in together]
            results = dict(zip(together, all_rounded(weights, roundings), strict=True))
        return [
            results[layer] if layer in results else layer.weight_quantizer(layer.weight)
            for layer in self._layers
        ]


def insert_weights(traced: fx.GraphModule, path: str) -> None:
    """Compute the rounded weights at the start of a graph, once for all calls of a layer.

    Args:
        traced: A traced quantized network, changed in place.
        path: Name of the new submodule; none is added if no layer rounds its own weight.
    """
    calls: dict[QuantTwin, list[fx.Node]] = {}
    for node in traced.graph.nodes:
        layer = traced.get_submodule(str(node.target)) if node.op == "call_module" else None
        if isinstance(layer, QuantTwin) and _rounds_its_own_weight(layer):
            calls.setdefault(layer, []).append(node)
    layers = [layer for layer, nodes in calls.items() if len(nodes) == 1 or _is_stable(layer)]
    if not layers:
        return
    traced.add_submodule(path, RoundedWeights(layers))
    first = next(node for node in traced.graph.nodes if node.op != "placeholder")
    with traced.graph.inserting_before(first):
        rounded = traced.graph.call_module(path)
    for index, layer in enumerate(layers):
        for node in calls[layer]:
            with traced.graph.inserting_before(node):
                weight = traced.graph.call_function(operator.getitem, (rounded, index))
            node.kwargs = {**node.kwargs, "weight": weight}


def _rounds_its_own_weight(layer: QuantTwin) -> bool:
    """True if the layer multiplies ``weight_quantizer(weight)``, and its bias has no codes."""
    quantizes = isinstance(layer.weight_quantizer, Quantizer)
    return quantizes and layer.norm is None and not layer.source


def _is_stable(layer: QuantTwin) -> bool:
    """True if to round a weight twice is to round it once: no range follows each of its calls."""
    quantizer = _weight_quantizer(layer)
    if quantizer.follows_each_call:
        return False
    method = quantizer.observer_method().name
    return not quantizer.observer.follows_training or method == "latest"


def _weight_quantizer(layer: QuantTwin) -> Quantizer:
    assert isinstance(layer.weight_quantizer, Quantizer)
    return layer.weight_quantizer
