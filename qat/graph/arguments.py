"""The arguments of each supported operation: which are understood, which must keep their default.

There is one row for each way to write an operation: a function, a method of a tensor, a layer of
torch. A row lists the arguments after the tensor, in order, with their defaults. An argument
marked ``!`` is not understood: an operation that gives it another value than its default is
refused. An operation with an argument that the row does not list is refused too.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from qat.graph.stochastic_depth import is_stochastic_depth

_ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input"}
"""Argument names of numpy that torch accepts, and torch's own names for them."""
_REQUIRED = object()
"""The default of an argument that has none."""


@dataclass(frozen=True)
class Argument:
    """One argument of one way to write an operation.

    Attributes:
        name: Torch's name of the argument, or the name of the layer's attribute.
        default: Its value if a call leaves it out.
        understood: If false, only the default is accepted.
        starred: The argument takes all positional arguments from here on.
    """

    name: str
    default: Any
    understood: bool
    starred: bool = False


@dataclass(frozen=True)
class Form:
    """One way to write an operation.

    Attributes:
        kind: Word of the vocabulary of :mod:`qat.graph.operations`.
        arguments: The arguments after the tensor, in order.
    """

    kind: str
    arguments: tuple[Argument, ...]


class ArgumentError(ValueError):
    """An operation has an argument that is not understood; the message names it."""


def _form(kind: str, written: str = "") -> Form:
    return Form(kind, tuple(_argument(part) for part in written.split("; ") if part))


def _argument(written: str) -> Argument:
    name, equals, default = written.partition("=")
    value = ast.literal_eval(default) if equals else _REQUIRED
    return Argument(name.strip("!*"), value, "!" not in name, "*" in name)


_INPLACE = "inplace=False"
_WINDOW = "kernel_size; stride=None; padding=0"
_MAX = f"{_WINDOW}; dilation=1; ceil_mode=False"
_AVERAGE = f"{_WINDOW}; ceil_mode=False; count_include_pad=True; !divisor_override=None"
_SIZES = "size=None; scale_factor=None; mode='nearest'; !align_corners=None"
_ANY_FORMAT = "memory_format=None"

MODULES: Mapping[type[nn.Module], Form] = {
    nn.Conv2d: _form("conv", "stride; padding; dilation; groups; padding_mode='zeros'"),
    nn.Linear: _form("linear"),
    nn.BatchNorm1d: _form("norm"),
    nn.BatchNorm2d: _form("norm"),
    nn.ReLU: _form("relu", _INPLACE),
    nn.ReLU6: _form("relu6", _INPLACE),
    nn.Hardtanh: _form("clamp", "min_val; max_val; inplace=False"),
    nn.SiLU: _form("silu", _INPLACE),
    nn.Hardswish: _form("hardswish", _INPLACE),
    nn.Sigmoid: _form("sigmoid"),
    nn.Hardsigmoid: _form("hardsigmoid", _INPLACE),
    nn.Tanh: _form("tanh"),
    nn.GELU: _form("gelu", "approximate='none'"),
    nn.LeakyReLU: _form("leaky_relu", "negative_slope=0.01; inplace=False"),
    nn.ELU: _form("elu", "alpha=1.0; inplace=False"),
    nn.MaxPool2d: _form("max_pool", f"{_MAX}; !return_indices=False"),
    nn.AvgPool2d: _form("avg_pool", _AVERAGE),
    nn.AdaptiveAvgPool2d: _form("adaptive_avg_pool", "output_size"),
    nn.ZeroPad2d: _form("pad", "padding; !value=0"),
    nn.ConstantPad2d: _form("pad", "padding; !value=0"),
    nn.Upsample: _form("resize", f"{_SIZES}; recompute_scale_factor=None"),
    nn.Flatten: _form("flatten", "start_dim=1; end_dim=-1"),
    nn.Dropout: _form("identity", "p=0.5; inplace=False"),
    nn.Dropout2d: _form("identity", "p=0.5; inplace=False"),
    nn.Identity: _form("identity"),
}
_STOCHASTIC_DEPTH = _form("identity", "p; mode")

_CONCAT = _form("concat", "dim=0; !out=None")
_SUM, _PRODUCT = _form("add", "other"), _form("mul", "other")
_MEAN = "dim=None; keepdim=False; !dtype=None"
_CLAMP = "min=None; max=None"

FUNCTIONS: Mapping[Callable[..., Any], Form] = {
    operator.add: _SUM,
    operator.iadd: _SUM,
    torch.add: _form("add", "other; alpha=1; !out=None"),
    operator.mul: _PRODUCT,
    operator.imul: _PRODUCT,
    torch.mul: _form("mul", "other; !out=None"),
    torch.cat: _CONCAT,
    torch.concat: _CONCAT,
    torch.concatenate: _CONCAT,
    torch.flatten: _form("flatten", "start_dim=0; end_dim=-1"),
    torch.reshape: _form("reshape", "shape"),
    torch.squeeze: _form("reshape", "dim=None"),
    torch.unsqueeze: _form("reshape", "dim"),
    torch.permute: _form("permute", "dims"),
    torch.transpose: _form("permute", "dim0; dim1"),
    torch.chunk: _form("split", "chunks; dim=0"),
    torch.split: _form("split", "split_size_or_sections; dim=0"),
    operator.getitem: _form("slice", "index"),
    torch.mean: _form("mean", f"{_MEAN}; !out=None"),
    torch.relu: _form("relu"),
    torch.sigmoid: _form("sigmoid", "!out=None"),
    torch.tanh: _form("tanh", "!out=None"),
    torch.clamp: _form("clamp", f"{_CLAMP}; !out=None"),
    torch.clip: _form("clamp", f"{_CLAMP}; !out=None"),
    F.relu: _form("relu", _INPLACE),
    F.relu6: _form("relu6", _INPLACE),
    F.hardtanh: _form("clamp", "min_val=-1.0; max_val=1.0; inplace=False"),
    F.silu: _form("silu", _INPLACE),
    F.hardswish: _form("hardswish", _INPLACE),
    F.sigmoid: _form("sigmoid"),
    F.hardsigmoid: _form("hardsigmoid", _INPLACE),
    F.tanh: _form("tanh"),
    F.gelu: _form("gelu", "approximate='none'"),
    F.leaky_relu: _form("leaky_relu", "negative_slope=0.01; inplace=False"),
    F.elu: _form("elu", "alpha=1.0; inplace=False"),
    F.max_pool2d: _form("max_pool", f"{_MAX}; !return_indices=False"),
    torch.max_pool2d: _form("max_pool", _MAX),
    F.avg_pool2d: _form("avg_pool", _AVERAGE),
    F.adaptive_avg_pool2d: _form("adaptive_avg_pool", "output_size"),
    F.pad: _form("pad", "pad; !mode='constant'; !value=None"),
    F.interpolate: _form("resize", f"{_SIZES}; recompute_scale_factor=None; !antialias=False"),
}

_SHAPE = _form("reshape", "*shape")

METHODS: Mapping[str, Form] = {
    "add": _form("add", "other; alpha=1"),
    "mul": _PRODUCT,
    "relu": _form("relu"),
    "sigmoid": _form("sigmoid"),
    "tanh": _form("tanh"),
    "clamp": _form("clamp", _CLAMP),
    "clip": _form("clamp", _CLAMP),
    "mean": _form("mean", _MEAN),
    "view": _SHAPE,
    "reshape": _SHAPE,
    "flatten": _form("flatten", "start_dim=0; end_dim=-1"),
    "squeeze": _form("reshape", "*dim"),
    "unsqueeze": _form("reshape", "dim"),
    "permute": _form("permute", "*dims"),
    "transpose": _form("permute", "dim0; dim1"),
    "chunk": _form("split", "chunks; dim=0"),
    "split": _form("split", "split_size; dim=0"),
    "contiguous": _form("identity", _ANY_FORMAT),
    "clone": _form("identity", _ANY_FORMAT),
}


def form_of(node: fx.Node, module: nn.Module | None) -> Form | None:
    """Return the row of an operation; None if the operation is not supported.

    Args:
        node: Node of a traced graph.
        module: The layer that the node calls; None for a function or a method.

    Example:
        >>> graph = fx.symbolic_trace(lambda x: x.relu()).graph
        >>> form_of(list(graph.nodes)[1], None).kind
        'relu'
    """
    if module is not None:
        return _STOCHASTIC_DEPTH if is_stochastic_depth(module) else MODULES.get(type(module))
    if node.op == "call_method":
        return METHODS.get(str(node.target).removesuffix("_"))
    return FUNCTIONS.get(node.target) if callable(node.target) else None


def bound(node: fx.Node, module: nn.Module | None, form: Form) -> dict[str, Any]:
    """Return the value of each understood argument by its name.

    A value that the network computes is a node.

    Args:
        node: Node of a traced graph.
        module: The layer that the node calls; None for a function or a method.
        form: The row of the operation, from :func:`form_of`.

    Raises:
        ArgumentError: If an argument is not understood and differs from its default.

    Example:
        >>> graph = fx.symbolic_trace(lambda x: torch.flatten(x, 1)).graph
        >>> node = list(graph.nodes)[1]
        >>> bound(node, None, form_of(node, None))
        {'start_dim': 1, 'end_dim': -1}
    """
    if module is not None:
        arguments = {a.name: getattr(module, a.name, a.default) for a in form.arguments}
    else:
        arguments = dict(_written(node, form))
    for argument in form.arguments:
        if argument.understood or argument.name not in arguments:
            continue
        if not _is_neutral(arguments[argument.name], argument.default):
            raise ArgumentError(f"has {argument.name}={arguments[argument.name]}")
    understood = [a for a in form.arguments if a.understood]
    values = {a.name: arguments.get(a.name, a.default) for a in understood}
    return {name: value for name, value in values.items() if value is not _REQUIRED}


def _written(node: fx.Node, form: Form) -> Iterator[tuple[str, Any]]:
    """Yield the arguments that the user's code passes, by name."""
    names = {a.name for a in form.arguments}
    kwargs = {_named(name, names): value for name, value in node.kwargs.items()}
    first = "tensors" if form.kind == "concat" else "input"
    positional = list(node.args[0 if first in kwargs else 1 :])
    kwargs.pop(first, None)
    for argument in form.arguments:
        if argument.starred:
            if positional or argument.name not in kwargs:
                yield argument.name, _flat(positional)
            positional = []
        elif positional:
            yield argument.name, positional.pop(0)
    if positional:
        raise ArgumentError(f"has {len(positional)} arguments more than are understood")
    if unknown := sorted(kwargs.keys() - names):
        raise ArgumentError(f"has {unknown[0]}={kwargs[unknown[0]]}")
    yield from kwargs.items()


def _named(name: str, names: set[str]) -> str:
    return name if name in names else _ALIASES.get(name, name)


def _flat(values: list[Any]) -> tuple[Any, ...]:
    """``view(2, 3)`` and ``view((2, 3))`` are the same."""
    if len(values) == 1 and isinstance(values[0], tuple | list):
        return tuple(values[0])
    return tuple(values)


def _is_neutral(value: Any, default: Any) -> bool:
    if isinstance(value, fx.Node):
        return False
    if default is None:
        return value is None or (isinstance(value, int | float) and value == 0)
    return bool(type(value) is type(default) or not isinstance(default, str)) and value == default
