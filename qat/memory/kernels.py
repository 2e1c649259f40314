"""Kernels of torch that write into an existing tensor, bit for bit as the ordinary kernels.

None of them needs further memory. An operation without such a kernel is computed by its ordinary
kernel, and the result is copied.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx, nn

_CLAMPS: dict[str, tuple[float | None, float | None]] = {"relu": (0, None), "relu6": (0, 6)}
_UNARY: dict[str, Any] = {
    "sigmoid": torch.ops.aten.sigmoid.out,
    "tanh": torch.ops.aten.tanh.out,
    "silu": torch.ops.aten.silu.out,
    "hardswish": torch.ops.aten.hardswish.out,
    "hardsigmoid": torch.ops.aten.hardsigmoid.out,
}
_BINARY: dict[str, Any] = {"add": torch.add, "iadd": torch.add, "mul": torch.mul, "imul": torch.mul}
_BUILT_IN_MODULES = "torch.nn.modules"

Kernel = Callable[[Tensor], object]


def kernel_into(
    node: fx.Node, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any], module: fx.GraphModule
) -> Kernel | None:
    """Return a function that writes the output of a node into the tensor that it is called with.

    Args:
        node: Node of the traced network.
        kind: Kind of the operation (see :class:`qat.memory.liveness.MemoryOperation`).
        args: Positional arguments of the node, with tensors instead of nodes.
        kwargs: Arguments by name, with tensors instead of nodes.
        module: The traced network.

    Returns:
        The function; None if torch has no such kernel.

    Example:
        >>> traced = fx.symbolic_trace(nn.Sequential(nn.ReLU()))
        >>> node, out = list(traced.graph.nodes)[1], torch.empty(2)
        >>> write = kernel_into(node, "relu", (torch.tensor([-1.0, 2.0]),), {}, traced)
        >>> _ = write(out)
        >>> out
        tensor([0., 2.])
    """
    layer = module.get_submodule(str(node.target)) if node.op == "call_module" else None
    if layer is not None and not type(layer).__module__.startswith(_BUILT_IN_MODULES):
        return None
    if isinstance(layer, nn.BatchNorm2d):
        return _batch_norm(layer, args[0])
    if kind == "cat" and len(args) == 2 and isinstance(args[1], int):
        return lambda out: torch.cat(args[0], args[1], out=out)
    if kind == "cat" and len(args) == 1 and set(kwargs) <= {"dim"}:
        return lambda out: torch.cat(args[0], kwargs.get("dim", 0), out=out)
    tensors = all(isinstance(a, Tensor) for a in args)
    if not tensors or set(kwargs) - {"inplace"}:
        return None
    return _elementwise(kind, args)


def _elementwise(kind: str, args: tuple[Any, ...]) -> Kernel | None:
    if kind in _CLAMPS and len(args) == 1:
        low, high = _CLAMPS[kind]
        return lambda out: torch.clamp(args[0], low, high, out=out)
    if kind in _UNARY and len(args) == 1:
        return lambda out: _UNARY[kind](args[0], out=out)
    if kind in _BINARY and len(args) == 2:
        return lambda out: _BINARY[kind](*args, out=out)
    return None


def _batch_norm(layer: nn.BatchNorm2d, x: Tensor) -> Kernel | None:
    if layer.running_mean is None or not layer.affine:
        return None

    def run(out: Tensor) -> None:
        empty = torch.empty(0, dtype=x.dtype, device=x.device)
        torch.ops.aten.native_batch_norm.out(
            *(x, layer.weight, layer.bias, layer.running_mean, layer.running_var),
            *(False, 0.0, layer.eps),
            out=out,
            save_mean=empty,
            save_invstd=empty.clone(),
        )

    return run
