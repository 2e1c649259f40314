"""Which tensors of a quantized network can be stored as codes, and by which quantizer.

In placement ``integer`` every tensor is stored as codes, at the width of the quantizer after it;
pools, reshapes and concatenations keep the codes. In placement ``academic`` a tensor can be
rounded when it is stored instead of when it is read, if all its readers are quantized layers with
one and the same quantizer (max pools and reshapes may lie between). A tensor that an add reads, or
two layers with scales of their own, stays float; and so do all tensors in mode dynamic, because
their ranges are not known when they are stored.

A convolution with its batch norm and its ReLU is one operation, as a runtime fuses them, also where
folding has left an identity for the batch norm; and so is a pad by zeros with the convolution
after it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import fx, nn

from qat.graph.operations import (
    PASSING,
    Operation,
    UnsupportedOperationError,
    operations,
)
from qat.layers.tensor import QuantTensor
from qat.layers.twin import QuantTwin
from qat.memory.codec import Coding, Halves
from qat.quantizers.base import Quantizer
from qat.quantizers.cast import CastQuantizer
from qat.quantizers.dynamic import is_dynamic

_KEEP_CHANNELS = ("max_pool", "identity")
_FUSED = ("norm", "relu", "relu6", "identity")


class StoredTensors:
    """Codings of the stored tensors of a quantized network, and its chains of fused nodes.

    Args:
        traced: The graph of the network.
    """

    def __init__(self, traced: fx.GraphModule) -> None:
        self.traced = traced
        self.known = _operations(traced)
        self.rounded_by: dict[fx.Node, nn.Module] = {}
        for node in traced.graph.nodes:
            quantizer = self._behind(node)
            if quantizer is not None:
                self.rounded_by[node] = quantizer

    def codings(self, names: Sequence[str]) -> dict[str, Coding]:
        """How tensors are stored.

        Args:
            names: Names of the nodes whose outputs are stored.

        Returns:
            Name → coding, for those stored as codes.
        """
        nodes = {node.name: node for node in self.traced.graph.nodes}
        quantizers = {
            n: self.rounded_by.get(nodes[n]) or self._readers_quantizer(nodes[n], False)
            for n in names
        }
        return {name: _coding(q) for name, q in quantizers.items() if q is not None}

    def chains(self) -> list[tuple[str, ...]]:
        """Names of the nodes that are computed together as one operation, chain by chain."""
        chains = [self._up(node) for node in self.rounded_by if self._is_tensor(node)]
        inside = {node for chain in chains for node in chain}
        for node, operation in self.known.items():
            if operation.kind in ("conv", "linear") and node not in inside:
                chains.append(self._down(node))
        return [tuple(node.name for node in chain) for chain in chains if len(chain) > 1]

    def _behind(self, node: fx.Node) -> nn.Module | None:
        """The quantizer whose codes are the output of a node."""
        module = self._module(node)
        if isinstance(module, QuantTensor):
            return _usable(module.quantizer)
        if isinstance(module, QuantTwin):
            return _usable(module.output_quantizer)
        if self._kind(node) not in (*PASSING, "concat"):
            return None
        quantizers = [self.rounded_by.get(n) for n in self.known[node].inputs]
        return quantizers[0] if quantizers and all(q is quantizers[0] for q in quantizers) else None

    def _readers_quantizer(self, node: fx.Node, moved: bool) -> nn.Module | None:
        """The quantizer by which all readers of a node round it; None if they differ."""
        quantizers: list[nn.Module | None] = []
        for user in node.users:
            module = self._module(user)
            if isinstance(module, QuantTwin):
                quantizer = _usable(module.input_quantizer)
                by_channel = isinstance(quantizer, Quantizer) and quantizer.layout.axis is not None
                quantizers.append(None if moved and by_channel else quantizer)
            elif self._kind(user) in PASSING:
                quantizers.append(
                    self._readers_quantizer(user, moved or self._kind(user) not in _KEEP_CHANNELS)
                )
            else:
                return None
        return quantizers[0] if quantizers and all(q is quantizers[0] for q in quantizers) else None

    def _up(self, node: fx.Node) -> list[fx.Node]:
        """A quantizer and the nodes before it whose outputs are not stored."""
        chain = [node]
        before: Any = node.args[0]
        while isinstance(before, fx.Node) and (
            before not in self.rounded_by or self._is_folded(before, chain[0])
        ):
            if set(before.users) != {chain[0]}:
                break
            chain.insert(0, before)
            inputs = [n for n in before.all_input_nodes if n.op != "get_attr"]
            if len(inputs) != 1:
                break
            before = inputs[0]
        return chain

    def _down(self, node: fx.Node) -> list[fx.Node]:
        """A layer with its norm and ReLU, and a pad before it, if nothing else reads between."""
        before: Any = node.args[0] if node.args else None
        folds = isinstance(before, fx.Node) and self._is_folded(before, node)
        chain = [before, node] if folds else [node]
        while len(chain[-1].users) == 1:
            user = next(iter(chain[-1].users))
            if self._kind(user) not in _FUSED:
                break
            chain.append(user)
        return chain

    def _is_folded(self, pad: fx.Node, layer: fx.Node) -> bool:
        """Whether a pad of height and width becomes part of the convolution, its only reader."""
        folds = self._kind(layer) in ("conv", "pad")  # a pad may be folded into the next pad
        if self._kind(pad) != "pad" or not folds or set(pad.users) != {layer}:
            return False
        arguments = self.known[pad].arguments
        widths = arguments.get("pad", arguments.get("padding"))
        return isinstance(widths, Sequence) and len(widths) <= 4

    def _is_tensor(self, node: fx.Node) -> bool:
        return isinstance(self._module(node), QuantTensor)

    def _module(self, node: fx.Node) -> nn.Module | None:
        called = node.op == "call_module"
        return self.traced.get_submodule(str(node.target)) if called else None

    def _kind(self, node: fx.Node) -> str:
        return self.known[node].kind if node in self.known else ""


def _operations(traced: fx.GraphModule) -> Mapping[fx.Node, Operation]:
    """Operations of the graph; none if it has one that integer networks do not have."""
    try:
        return operations(traced)
    except UnsupportedOperationError:
        return {}


def _usable(quantizer: nn.Module) -> nn.Module | None:
    """The quantizer, if its levels are known before the tensor is computed; else None."""
    if isinstance(quantizer, Quantizer):
        return None if is_dynamic(quantizer) else quantizer
    return quantizer if isinstance(quantizer, CastQuantizer) else None


def _coding(quantizer: nn.Module) -> Coding:
    if isinstance(quantizer, Quantizer):
        return Coding(quantizer, *quantizer.code_range())
    return Coding(Halves(), 16, -(2**15))
