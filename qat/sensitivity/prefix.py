"""Run a network from one of its layers on, and keep the values that come before that layer.

The network is traced (torch.fx) and cut before the layer. For each batch, the values that the part
behind the cut needs are kept. They are moved from cut to cut in execution order: for a chain of
layers, this halves the work of running the whole network each time. Outputs are equal, bit for bit.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from qat.graph.trace import TraceError, trace

MEMORY_LIMIT_BYTES = 2 * 1024**3


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

    @torch.no_grad()
    def outputs(self, path: str) -> Tensor:
        """Outputs of all batches. Modules called before the one at ``path`` must be unchanged."""
        return torch.cat([self.net(images) for images in self.batches])


class PrefixRunner(Runner):
    """Runs only the part from a module on; quickest for modules in the order of :meth:`order`.

    Args:
        net: In evaluation mode; a traced copy of it is run, see :attr:`net`.
        batches: Images.
        memory_limit_bytes: How much may be kept; batches beyond it are run through the whole
            network.

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
        self._nodes = list(traced.graph.nodes)
        self._cuts: dict[str, int] = {}
        for place, node in enumerate(self._nodes):
            if node.op == "call_module":
                self._cuts.setdefault(str(node.target), place)
        self._images = next(node for node in self._nodes if node.op == "placeholder")
        self._interpreter = fx.Interpreter(traced)
        self._mutates = any(_is_in_place(node, traced) for node in self._nodes)
        self._limit = memory_limit_bytes
        self._cut = -1
        self._kept: list[dict[fx.Node, Any] | None] = []

    def order(self, paths: Sequence[str]) -> list[str]:
        """Execution order. A module that the graph does not call comes last."""
        return sorted(paths, key=lambda path: self._cuts.get(path, len(self._nodes)))

    @torch.no_grad()
    def outputs(self, path: str) -> Tensor:
        """Outputs of all batches; equal to those of :class:`Runner`, bit for bit."""
        self._move_to(self._cuts.get(path, len(self._nodes) - 1))
        return torch.cat([self._behind(images, i) for i, images in enumerate(self.batches)])

    def _behind(self, images: Tensor, index: int) -> Tensor:
        kept = self._kept[index]
        if kept is None:
            return self.net(images)  # type: ignore[no-any-return]
        tensors = list(kept.values())
        if self._mutates:
            tensors = copy.deepcopy(tensors)  # at once, so that views stay views of each other
        values = dict(zip(kept, tensors, strict=True))
        return self._run(values, self._cut, len(self._nodes))  # type: ignore[no-any-return]

    def _move_to(self, cut: int) -> None:
        if cut == self._cut:
            return
        if cut < self._cut or self._cut < 0:
            self._cut, self._kept = 0, []
        used = 0
        for index, images in enumerate(self.batches):
            if len(self._kept) <= index:
                self._kept.append({self._images: images})
            kept = self._kept[index]
            if kept is None:
                continue
            self._run(kept, self._cut, cut)
            used += sum(v.nbytes for v in kept.values() if isinstance(v, Tensor))
            if used > self._limit:
                self._kept[index] = None
        self._cut = cut

    def _run(self, values: dict[fx.Node, Any], start: int, stop: int) -> Any:
        """Run nodes ``start .. stop``; afterwards ``values`` holds what later nodes need."""
        run = self._interpreter
        run.env, run.args_iter = values, iter(())
        result = None
        for node in self._nodes[start:stop]:
            if node not in values:
                values[node] = result = run.run_node(node)
            for done in run.user_to_last_uses.get(node, ()):
                values.pop(done, None)
        return result


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
