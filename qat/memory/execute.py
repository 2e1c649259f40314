"""Execution of a network inside its planned arena.

One buffer of bytes holds every tensor at its planned offset and is overwritten as planned. If torch
has a kernel that writes into an existing tensor, that kernel is used. Otherwise the ordinary kernel
computes a new tensor, which is copied. The bytes of that tensor, of values inside a chain and of
decoded tensors are the workspace of the step. Scratch memory inside torch's kernels is not
measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, fx

from qat.base.errors import InputError
from qat.core.evaluation_mode import evaluating
from qat.memory.kernels import kernel_into
from qat.memory.liveness import MemoryOperation
from qat.memory.read import Traced
from qat.memory.strategies import MemoryPlan

_UNWRITTEN = 0xFF
"""Initial value of every byte: four of them are a NaN, so that reading them shows."""


class Codec(Protocol):
    """Converts tensors into their bytes in the arena, if they are narrower than their dtype."""

    def encode(self, name: str, value: Tensor) -> Tensor:
        """Return the bytes (``uint8``, one axis) of a storage.

        Args:
            name: Name of the storage.
            value: Its values, in the shape of the tensor that owns it.
        """

    def decode(self, name: str, codes: Tensor, elements: int) -> Tensor:
        """Return the values of a storage, ``[elements]``, equal to those that were encoded.

        Args:
            name: Name of the storage.
            codes: Its bytes, from :meth:`encode`.
            elements: Number of its elements.
        """


@dataclass(frozen=True)
class Execution:
    """Result of a run inside the arena.

    Attributes:
        output: Output of the network; equal to its ordinary output.
        arena_bytes: Size of the buffer.
        workspace_bytes: Largest workspace of a step.
        workspace: Name of an operation → its workspace in bytes, without operations that need
            none.
    """

    output: Any
    arena_bytes: int
    workspace_bytes: int
    workspace: Mapping[str, int]


class ArenaExecutor:
    """Runs a traced network inside the arena of a plan.

    Args:
        traced: The network and its graph.
        plan: A plan of that graph.
        codec: Converts tensors that are stored in fewer bits than their dtype has; None if there
            are none.
        dtype: Dtype of the network's tensors.

    Raises:
        ValueError: If the plan belongs to another graph, a narrower tensor has no codec, or the
            alignment splits an element.

    Example:
        >>> from qat.memory.read import read_memory
        >>> from qat.memory.strategies import plan_memory
        >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
        >>> traced = read_memory(net, (2, 4))
        >>> result = ArenaExecutor(traced, plan_memory(traced.graph)).run(torch.ones(2, 4))
        >>> torch.equal(result.output, net(torch.ones(2, 4)))
        True
    """

    def __init__(
        self,
        traced: Traced,
        plan: MemoryPlan,
        codec: Codec | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.traced, self.plan, self.codec, self.dtype = traced, plan, codec, dtype
        self.offsets = plan.offsets
        self.nodes = {node.name: node for node in traced.module.graph.nodes}
        self.arena = torch.empty(plan.arena.bytes, dtype=torch.uint8)
        self._check()

    def _check(self) -> None:
        graph, width = self.plan.graph, 8 * self.dtype.itemsize
        if graph.operations != self.traced.graph.operations:
            raise InputError("the plan belongs to another network: plan the graph that is executed")
        coded = [n for n, t in graph.tensors.items() if t.bits != width]
        if coded and self.codec is None:
            raise InputError(f"{coded[0]} is not stored in {width} bits: give a codec")
        if self.plan.arena.alignment % self.dtype.itemsize:
            raise InputError(
                f"alignment {self.plan.arena.alignment} splits elements of {self.dtype}: take a "
                f"multiple of {self.dtype.itemsize}"
            )

    @torch.no_grad()
    def run(self, images: Tensor) -> Execution:
        """Run a batch of the planned shape.

        Args:
            images: The batch, on the CPU.

        Raises:
            ValueError: If the batch has another shape or dtype than planned.
        """
        self._check_images(images)
        self.arena.fill_(_UNWRITTEN)
        workspace: dict[str, int] = {}
        with evaluating(self.traced.module):
            for name in self.plan.order:
                used = self._step(self.plan.graph.operations[name], images)
                if used:
                    workspace[name] = used
            output = self._output()
        most = max(workspace.values(), default=0)
        return Execution(output, self.plan.arena.bytes, most, workspace)

    def _check_images(self, images: Tensor) -> None:
        inputs = [n for n, o in self.plan.graph.operations.items() if o.kind == "input"]
        shape = self.plan.graph.tensors[inputs[0]].shape
        if tuple(images.shape) != shape or images.dtype != self.dtype:
            raise InputError(
                f"planned for {self.dtype} of shape {shape}, got {images.dtype} of shape "
                f"{tuple(images.shape)}: plan for that batch"
            )

    def _step(self, operation: MemoryOperation, images: Tensor) -> int:
        """Compute one operation and store its output; return its workspace in bytes."""
        if operation.kind == "input":
            return self._store(operation.name, images)
        if self.plan.graph.tensors[operation.name].is_view:
            return 0
        loaded = {name: self._load(name) for name in operation.inputs}
        used = sum(_bytes(value) for name, value in loaded.items() if self._is_coded(name))
        values: dict[str, Any] = dict(loaded)
        for name in operation.nodes:
            node = self.nodes[name]
            args, kwargs = self._arguments(node, values)
            if len(operation.nodes) == 1 and not self._is_coded(name):
                into = kernel_into(node, operation.kind, args, kwargs, self.traced.module)
                if into is not None:
                    into(self._view(name))
                    return used
            values[name] = self._compute(node, args, kwargs)
            used += _bytes(values[name])
        return used + self._store(operation.name, values[operation.name])

    def _compute(self, node: fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        interpreter = fx.Interpreter(self.traced.module, garbage_collect_values=False)
        return getattr(interpreter, node.op)(node.target, args, kwargs)

    def _arguments(self, node: fx.Node, values: Mapping[str, Any]) -> tuple[Any, Any]:
        def value(source: fx.Node) -> Any:
            if source.op == "get_attr":
                return self._compute(source, (), {})
            return (
                values[source.name] if source.name in values else self.traced.constants[source.name]
            )

        return fx.map_arg(node.args, value), fx.map_arg(node.kwargs, value)

    def _output(self) -> Any:
        node = next(n for n in self.nodes.values() if n.op == "output")
        return fx.map_arg(node.args[0], lambda source: self._load(source.name).clone())

    def _is_coded(self, name: str) -> bool:
        return self.plan.graph.tensors[name].bits != 8 * self.dtype.itemsize

    def _bytes_of(self, name: str) -> Tensor:
        storage = self.plan.graph.tensors[name].storage
        start = self.offsets[storage]
        return self.arena[start : start + self.plan.graph.tensors[storage].bytes]

    def _view(self, name: str) -> Tensor:
        """Return a tensor as a view of the arena."""
        tensor = self.plan.graph.tensors[name]
        values = self._bytes_of(name).view(self.dtype)
        return torch.as_strided(
            values, tensor.shape, tensor.stride, values.storage_offset() + tensor.start
        )

    def _load(self, name: str) -> Tensor:
        if self.codec is None or not self._is_coded(name):
            return self._view(name)
        tensor = self.plan.graph.tensors[name]
        values = self.codec.decode(tensor.storage, self._bytes_of(name), tensor.elements)
        return torch.as_strided(values, tensor.shape, tensor.stride, tensor.start)

    def _store(self, name: str, value: Tensor) -> int:
        """Write a value into the arena; return the bytes of its codes before they were copied."""
        if self.codec is None or not self._is_coded(name):
            self._view(name).copy_(value)
            return 0
        codes = self.codec.encode(name, value)
        self._bytes_of(name).copy_(codes)
        return _bytes(codes)


def _bytes(value: Any) -> int:
    return value.numel() * value.element_size() if isinstance(value, Tensor) else 0
