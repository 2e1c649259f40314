"""Kernels of torch that write where they are told, with the bits of the ordinary ones.

None of them needs memory besides. An operation that has no such kernel is computed by its
ordinary one and copied.
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
    """A call that writes the node's output into a given tensor; None if there is none.

    Args:
        node: Whose output it is.
        kind: Of the operation (see :class:`qat.memory.liveness.MemoryOperation`).
        args: The node's arguments, tensors in place of nodes.
        kwargs: The same, by name.
        module: The traced network.
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
