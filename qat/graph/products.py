"""Every product of tensors that a network computes, with its multiply-accumulates (MACs).

Products are counted where torch dispatches its kernels, so that it does not matter how a product
was written: a layer, ``F.conv2d(x, self.weight)``, attention, ``einsum``. One MAC is one
multiply-accumulate of a convolution or a matrix product; elementwise operations count nothing.

    convolution   elements of the output x weights of one output channel
    matrix        rows x columns x terms of each sum
    attention     queries x keys x (length of a key + length of a value), for every head
"""

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.evaluation_mode import evaluating
from qat.core.torch_private import EagerDispatchMode

_OURS = f"{Path(__file__).parents[1]}{os.sep}"
_TORCH = f"{Path(torch.__file__).parent}{os.sep}"
_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)


class UncountedError(InputError):
    """A kernel whose multiply-accumulates cannot be counted; the message names it and its line."""


@dataclass(frozen=True)
class Product:
    """One call of one kernel.

    Attributes:
        layer: Name of the convolution or linear layer that computes it, or empty.
        parameter: Name of the parameter that is multiplied; empty for a product of activations.
        scope: Name of the innermost module that computes it.
        macs: Multiply-accumulates.
        line: ``file.py:12`` of the user's code.
    """

    layer: str
    parameter: str
    scope: str
    macs: int
    line: str


@torch.no_grad()
def products(net: nn.Module, example: Tensor) -> list[Product]:
    """Run a batch in evaluation mode and list the products that it computes, in order.

    Args:
        net: Any network, float or quantized.
        example: A batch that the network accepts, on the network's device, which may be ``meta``.

    Raises:
        UncountedError: If a kernel may compute products and its count is not known.

    Example:
        >>> (product,) = products(nn.Conv2d(3, 5, 1), torch.zeros(1, 3, 4, 4))
        >>> product.parameter, product.macs  # 5 x 16 elements, 3 weights each
        ('weight', 240)
    """
    counter = _Counter(net)
    with evaluating(net), counter.following(net), counter:
        net(example)
    return counter.products


class _Counter(EagerDispatchMode):
    """Counts the products of each kernel.

    It keeps the stack of the modules that are running, and which tensors result from parameters
    alone.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.products: list[Product] = []
        self.stack: list[tuple[str, nn.Module]] = [("", net)]
        self.names = {_storage(b): "" for b in net.buffers()}
        self.names |= {_storage(p): name for name, p in reversed(list(net.named_parameters()))}
        self.alive: list[Tensor] = []  # keeps a freed storage's address from being used again

    @contextmanager
    def following(self, net: nn.Module) -> Iterator[None]:
        """Inside, ``stack`` holds the modules that are running."""
        handles: list[Any] = []
        for name, module in net.named_modules():
            entry = (name, module)
            handles.append(
                module.register_forward_pre_hook(lambda *_, entry=entry: self.stack.append(entry))
            )
            handles.append(module.register_forward_hook(self._left, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _left(self, *_: Any) -> None:
        self.stack.pop()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Compute, count, and record tensors that result from parameters alone."""
        out = func(*args, **(kwargs or {}))
        values = [value for value in torch.utils._pytree.tree_leaves((args, kwargs))]
        tensors = [value for value in values if isinstance(value, Tensor)]
        name = func._schema.name
        if count := _COUNTS.get(name):
            self._note(count(args, out), tensors)
        elif name in _UNKNOWN or not name.startswith(_KNOWN_SPACES):
            if any(t.is_floating_point() for t in tensors):
                raise UncountedError(
                    f"multiply-accumulates of {name} at {_user_line()} are not counted here"
                )
        elif tensors and all(_storage(t) in self.names for t in tensors):
            self._inherit(out, tensors)
        return out

    def _note(self, macs: int, tensors: list[Tensor]) -> None:
        layers = [name for name, module in self.stack if isinstance(module, _LAYERS)]
        parameters = [self.names[_storage(t)] for t in tensors if self.names.get(_storage(t))]
        matrices = [name for name in parameters if not name.endswith("bias")]
        parameter = (matrices or parameters or [""])[0]
        layer, scope = layers[-1] if layers else "", self.stack[-1][0]
        self.products.append(Product(layer, parameter, scope, macs, _user_line()))

    def _inherit(self, out: Any, tensors: list[Tensor]) -> None:
        """Give the result of a parameter alone the parameter's name.

        Such a result is a transpose, or a standardized weight.
        """
        named = [self.names[_storage(t)] for t in tensors]
        for result in torch.utils._pytree.tree_leaves(out):
            if isinstance(result, Tensor) and _storage(result) not in self.names:
                self.names[_storage(result)] = next(filter(None, named), "")
                self.alive.append(result)


def _storage(value: Tensor) -> int:
    return int(value.untyped_storage()._cdata)


def _user_line() -> str:
    """Return the innermost line of the stack outside torch and this package."""
    frame = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((_OURS, _TORCH, "<")):
            return f"{file.rsplit(os.sep, 1)[-1]}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown line"


def _matrices(a: Tensor, b: Tensor) -> int:
    """Count the MACs of ``(..., rows, terms)`` times ``(..., terms, columns)``."""
    return a.numel() * b.shape[-1]


def _convolution(args: tuple[Any, ...], out: Tensor) -> int:
    x, weight, transposed = args[0], args[1], args[6]
    return (x if transposed else out).numel() * prod(weight.shape[1:])


def _attention(args: tuple[Any, ...], _: Any) -> int:
    query, key, value = args[:3]
    return int(prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1]))


_FUSED = ("flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention")
_COUNTS: Mapping[str, Callable[[tuple[Any, ...], Any], int]] = {
    "aten::convolution": _convolution,
    "aten::_convolution": _convolution,
    "aten::mm": lambda args, _: _matrices(args[0], args[1]),
    "aten::bmm": lambda args, _: _matrices(args[0], args[1]),
    "aten::addmm": lambda args, _: _matrices(args[1], args[2]),
    "aten::_addmm_activation": lambda args, _: _matrices(args[1], args[2]),
    "aten::baddbmm": lambda args, _: _matrices(args[1], args[2]),
    "aten::addbmm": lambda args, _: _matrices(args[1], args[2]),
    "aten::mv": lambda args, _: args[0].numel(),
    "aten::addmv": lambda args, _: args[1].numel(),
    "aten::dot": lambda args, _: args[0].numel(),
    "aten::addr": lambda args, out: out.numel(),
    **{f"aten::_scaled_dot_product_{name}": _attention for name in _FUSED},
}
_UNKNOWN = frozenset(
    f"aten::{name}"
    for name in (
        *("mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn", "_thnn_fused_lstm_cell"),
        *("_native_multi_head_attention", "_transformer_encoder_layer_fwd", "_trilinear"),
        *("_cdist_forward", "_euclidean_dist", "_sparse_mm", "_int_mm", "linalg_matrix_exp"),
    )
)
_KNOWN_SPACES = ("aten::", "prim::", "prims::", "profiler::")
