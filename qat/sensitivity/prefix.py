"""Run a network from one of its layers on, and keep the values that come before that layer.

The network is traced (torch.fx) and cut before the layer. For each batch, the values that the part
behind the cut needs are kept. They are moved from cut to cut in execution order: for a chain of
layers, this halves the work of running the whole network each time. Outputs are equal, bit for bit.
"""

import copy
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.graph.trace import TraceError, trace
from qat.sensitivity.graph_part import GraphPart

MEMORY_LIMIT_BYTES = 2 * 1024**3
Values = dict[fx.Node, Any]


class Runner:
    """Runs batches through the whole network each time.

    Args:
        net: In evaluation mode.
        batches: Images.

    Example:
        >>> runner = Runner(nn.ReLU(), [torch.tensor([[-1.0, 2.0]])])
        >>> runner.outputs("").tolist()
        [[0.0, 2.0]]
    """

    def __init__(self, net: nn.Module, batches: Sequence[Tensor]) -> None:
        self.net, self.batches = net, batches

    def order(self, paths: Sequence[str]) -> list[str]:
        """The order in which :meth:`outputs` is quickest; for this class the order of ``paths``."""
        return list(paths)

    def forget(self) -> None:
        """Run the next batches from their start on: a module before the last one has changed."""

    @torch.no_grad()
    def outputs(self, path: str) -> Tensor:
        """Outputs of all batches. Modules called before the one at ``path`` must be unchanged."""
        return torch.cat([self.net(images) for images in self.batches])


class PrefixRunner(Runner):
    """Runs only the part from a module on; quickest for modules in the order of :meth:`order`.

    Args:
        net: In evaluation mode; a traced copy of it is run, see :attr:`net`.
        batches: Images.
        memory_limit_bytes: How much may be kept at any moment; the last batches, which do not fit,
            are run through the whole network.

    Raises:
        TraceError: If the network cannot be traced; the message names its line.
    """

    def __init__(
        self,
        net: nn.Module,
        batches: Sequence[Tensor],
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    ) -> None:
        traced = trace(net).eval()
        super().__init__(traced, batches)
        self._traced = traced
        self._nodes = list(traced.graph.nodes)
        self._cuts: dict[str, int] = {}
        for place, node in enumerate(self._nodes):
            if node.op == "call_module":
                self._cuts.setdefault(str(node.target), place)
        self._images = next(node for node in self._nodes if node.op == "placeholder")
        self._mutates = any(_is_in_place(node, traced) for node in self._nodes)
        self._limit = memory_limit_bytes
        self._cut = -1
        self._kept: list[Values | None] = []
        self._behind_cut: GraphPart | None = None

    def order(self, paths: Sequence[str]) -> list[str]:
        """Execution order. A module that the graph does not call comes last."""
        return sorted(paths, key=lambda path: self._cuts.get(path, len(self._nodes)))

    def forget(self) -> None:
        """Drop the values that are kept."""
        self._cut, self._kept = -1, []

    @torch.no_grad()
    def outputs(self, path: str) -> Tensor:
        """Outputs of all batches; equal to those of :class:`Runner`, bit for bit."""
        self._move_to(self._cuts.get(path, len(self._nodes) - 1))
        return torch.cat([self._behind(images, i) for i, images in enumerate(self.batches)])

    def _behind(self, images: Tensor, index: int) -> Tensor:
        kept, part = self._kept[index], self._behind_cut
        if kept is None or part is None:
            return self.net(images)  # type: ignore[no-any-return]
        values = [kept[node] for node in part.inputs]
        if self._mutates:
            values = copy.deepcopy(values)  # at once, so that views stay views of each other
        return part.run(*values)  # type: ignore[no-any-return]

    def _move_to(self, cut: int) -> None:
        if cut == self._cut:
            return
        if cut < self._cut or self._cut < 0:
            self._cut = self._nodes.index(self._images) + 1
            self._kept = [{self._images: images} for images in self.batches]
        if cut > self._cut:
            self._advance(cut)
        self._cut = cut
        self._behind_cut = self._part(cut, len(self._nodes))

    def _advance(self, cut: int) -> None:
        """Run every batch up to the cut, and keep what is read behind it."""
        part = self._part(self._cut, cut)
        needed = {n for node in self._nodes[cut:] for n in node.all_input_nodes}
        for index, kept in enumerate(self._kept):
            if kept is None:
                continue
            results = part.run(*(kept[node] for node in part.inputs))
            values = {**kept, **dict(zip(part.results, results, strict=True))}
            self._kept[index] = {node: v for node, v in values.items() if node in needed}
            self._let_go_above_limit()

    def _let_go_above_limit(self) -> None:
        """Keep nothing of the last batches, as many as are too many."""
        own = {images.untyped_storage().data_ptr() for images in self.batches}
        sizes = [_storage_bytes(kept or {}, own) for kept in self._kept]
        for index in range(len(sizes) - 1, -1, -1):
            if sum(sizes) <= self._limit:
                return
            if sizes[index]:
                self._kept[index], sizes[index] = None, 0

    def _part(self, start: int, stop: int) -> GraphPart:
        return GraphPart(self._traced, start, stop, reuse=not self._mutates)


def _storage_bytes(values: Values, without: Collection[int]) -> int:
    """Bytes that values occupy in memory; of a view those of the tensor that it shows a part of."""
    tensors = [value for value in values.values() if isinstance(value, Tensor)]
    storages = {s.data_ptr(): s.nbytes() for s in (t.untyped_storage() for t in tensors)}
    return sum(size for place, size in storages.items() if place not in without)


def make_runner(net: nn.Module, batches: Sequence[Tensor], memory_limit_bytes: int) -> Runner:
    """A runner for a network: :class:`Runner` if the network cannot be traced.

    Args:
        net: In evaluation mode.
        batches: Images.
        memory_limit_bytes: How much may be kept.
    """
    try:
        return PrefixRunner(net, batches, memory_limit_bytes)
    except TraceError:
        return Runner(net, batches)


def _is_in_place(node: fx.Node, traced: fx.GraphModule) -> bool:
    if node.op == "call_module":
        return any(getattr(m, "inplace", False) for m in _module(node, traced).modules())
    if node.kwargs.get("inplace", False) or "out" in node.kwargs:
        return True
    if node.op == "call_function" and any(argument is True for argument in node.args[1:]):
        return True  # may be ``inplace``; a needless copy is only slower
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if node.op == "call_function" and getattr(node.target, "__module__", "") == "_operator":
        return name.startswith("i") and name not in ("invert", "inv", "is_", "is_not", "index")
    return node.op in ("call_method", "call_function") and (
        name.endswith("_") or name in ("__setitem__", "setitem")
    )


def _module(node: fx.Node, traced: fx.GraphModule) -> nn.Module:
    return traced.get_submodule(str(node.target))
