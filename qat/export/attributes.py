"""Attributes of a traced operation, the same whether it was written as a module or a function."""

from collections.abc import Callable, Mapping
from math import ceil, floor
from typing import Any

from qat.graph.operations import Operation, UnsupportedOperationError
from qat.graph.trace import where

Shape = tuple[int, ...]

# Positional arguments behind the tensor, with their defaults.
_SIGNATURES: Mapping[str, Mapping[str, Any]] = {
    "max_pool": {
        "kernel_size": None,
        "stride": None,
        "padding": 0,
        "dilation": 1,
        "ceil_mode": False,
        "return_indices": False,
    },
    "avg_pool": {
        "kernel_size": None,
        "stride": None,
        "padding": 0,
        "ceil_mode": False,
        "count_include_pad": True,
        "divisor_override": None,
    },
    "adaptive_avg_pool": {"output_size": None},
    "mean": {"dim": None, "keepdim": False},
    "concat": {"dim": 0},
    "pad": {"pad": None, "mode": "constant", "value": None},
    "leaky_relu": {"negative_slope": 0.01},
    "elu": {"alpha": 1.0},
    "gelu": {"approximate": "none"},
}


def attributes(operation: Operation, module: Any, before: Shape, after: Shape) -> dict[str, Any]:
    """Plain numbers that say what an operation does, beside its kind.

    Args:
        operation: Of a traced network.
        module: The layer it calls; None for a function.
        before: Shape of its first input, batch included.
        after: Shape of its output.

    Raises:
        UnsupportedOperationError: If it is a variant that has no integer form here.
    """
    make = _MAKERS.get(operation.kind)
    if make is not None:
        return make(operation, _given(operation, module), before, after)
    return _given(operation, module)


def pool_kind(operation: Operation, before: Shape, after: Shape) -> str:
    """What a pool that goes by its output's size is: global, plain, or none at all."""
    if operation.kind == "mean" or (operation.kind == "adaptive_avg_pool" and after[2:] == (1, 1)):
        return "global_avg_pool"
    if operation.kind == "adaptive_avg_pool":
        return "identity" if before == after else "avg_pool"
    return operation.kind


def pair(value: Any) -> tuple[int, int]:
    """``(height, width)`` of one number or two."""
    if isinstance(value, int):
        return value, value
    values = tuple(value)
    return values * 2 if len(values) == 1 else values  # type: ignore[return-value]


def refuse(operation: Operation, why: str) -> UnsupportedOperationError:
    """The error of a variant without an integer form."""
    return UnsupportedOperationError(
        f"{operation.kind} {operation.name!r} at {where(operation.node)} {why}: it cannot be "
        "exported; write it otherwise, or keep to the packed file"
    )


def _given(operation: Operation, module: Any) -> dict[str, Any]:
    signature = _SIGNATURES.get(operation.kind, {})
    if module is not None:
        return {name: getattr(module, name, default) for name, default in signature.items()}
    node = operation.node
    found = dict(signature) | {k: v for k, v in node.kwargs.items() if k in signature}
    found |= dict(zip(signature, node.args[1:], strict=False))
    return found


def _max_pool(
    operation: Operation, given: dict[str, Any], before: Shape, after: Shape
) -> dict[str, Any]:
    if given["return_indices"]:
        raise refuse(operation, "returns indices")
    found = _pool(given) | {"dilation": pair(given["dilation"])}
    found["ceil_mode"] &= _ceils(operation, found, before, after)
    return found


def _avg_pool(
    operation: Operation, given: dict[str, Any], before: Shape, after: Shape
) -> dict[str, Any]:
    if given["divisor_override"] is not None:
        raise refuse(operation, "overrides the divisor")
    found = _pool(given)
    include = bool(given["count_include_pad"]) and any(found["padding"])
    found["ceil_mode"] &= _ceils(operation, found, before, after)
    if include and found["ceil_mode"]:
        # onnxruntime's QLinearAveragePool divides a window that reaches beyond its padding by the
        # whole kernel, its float AveragePool and torch by what lies within the padding.
        raise refuse(operation, "has ceil_mode and count_include_pad, which runtimes take apart")
    return found | {"count_include_pad": include}


def _ceils(operation: Operation, pool: Mapping[str, Any], before: Shape, after: Shape) -> bool:
    """True if rounding up makes windows that rounding down does not.

    torch drops a last window that would begin beyond the image; runtimes infer shapes with it.
    """
    dilation = pool.get("dilation", (1, 1))
    parts = zip(pool["kernel"], dilation, pool["padding"], before[2:], strict=True)
    spans = [size + 2 * p - d * (k - 1) - 1 for k, d, p, size in parts]
    floors, ceilings = (
        tuple(way(span / s) + 1 for span, s in zip(spans, pool["stride"], strict=True))
        for way in (floor, ceil)
    )
    if after[2:] not in (floors, ceilings):
        raise refuse(operation, "has ceil_mode that drops a window of one axis alone")
    return after[2:] != floors


def _pool(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kernel": pair(given["kernel_size"]),
        "stride": pair(given["kernel_size"] if given["stride"] is None else given["stride"]),
        "padding": pair(given["padding"]),
        "ceil_mode": bool(given["ceil_mode"]),
    }


def _adaptive(operation: Operation, _: Any, before: Shape, after: Shape) -> dict[str, Any]:
    sizes = list(zip(before[2:], after[2:], strict=True))
    if any(size % out for size, out in sizes):
        raise refuse(operation, f"cuts {before[2:]} into {after[2:]} windows of unequal size")
    kernel = tuple(size // out for size, out in sizes)
    return {
        "kernel": kernel,
        "stride": kernel,
        "padding": (0, 0),
        "ceil_mode": False,
        "count_include_pad": True,
        "keepdim": True,
    }


def _mean(operation: Operation, given: dict[str, Any], before: Shape, _: Shape) -> dict[str, Any]:
    dims = given["dim"]
    axes = {axis % len(before) for axis in ([dims] if isinstance(dims, int) else dims or [])}
    if axes != {2, 3}:
        raise refuse(operation, "is not over height and width")
    return {"keepdim": bool(given["keepdim"])}


def _concat(_: Operation, given: dict[str, Any], before: Shape, __: Shape) -> dict[str, Any]:
    return {"axis": given["dim"] % len(before)}


def _reshape(operation: Operation, _: Any, before: Shape, after: Shape) -> dict[str, Any]:
    if before[0] != after[0]:
        raise refuse(operation, "moves images into another axis")
    return {"shape": after[1:]}


def _permute(operation: Operation, _: Any, before: Shape, __: Shape) -> dict[str, Any]:
    rest: Any = operation.node.args[1:] or (operation.node.kwargs["dims"],)
    dims = rest[0] if isinstance(rest[0], tuple | list) else rest
    return {"dims": tuple(int(d) % len(before) for d in dims)}


def _slice(operation: Operation, _: Any, before: Shape, __: Shape) -> dict[str, Any]:
    index = operation.node.args[1]
    parts = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(part, slice) for part in parts) or len(parts) > len(before):
        raise refuse(operation, "indexes by something else than slices")
    ranges = [part.indices(size) for part, size in zip(parts, before, strict=False)]
    if any(step < 1 for _, _, step in ranges) or (parts and parts[0] != slice(None)):
        raise refuse(operation, "selects images, or runs backwards")
    return {"ranges": tuple(ranges[1:])}


def _pad(operation: Operation, given: dict[str, Any], before: Shape, _: Shape) -> dict[str, Any]:
    if given["mode"] != "constant" or given["value"] not in (None, 0, 0.0):
        raise refuse(operation, "pads with something else than zero")
    pads = [int(p) for p in given["pad"]]
    if min(pads) < 0:
        raise refuse(operation, "crops by a negative pad")
    widths = [(0, 0)] * len(before)
    for axis in range(len(pads) // 2):
        widths[len(before) - 1 - axis] = (pads[2 * axis], pads[2 * axis + 1])
    if widths[0] != (0, 0):
        raise refuse(operation, "adds images")
    return {"widths": tuple(widths)}


_MAKERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "adaptive_avg_pool": _adaptive,
    "mean": _mean,
    "concat": _concat,
    "flatten": _reshape,
    "reshape": _reshape,
    "permute": _permute,
    "slice": _slice,
    "pad": _pad,
}


def layer_attributes(operation: Operation, layer: Any, before: Shape) -> dict[str, Any]:
    """Stride, padding, dilation and groups of a convolution; nothing for a linear layer.

    Raises:
        UnsupportedOperationError: If it is a variant that has no integer form here.
    """
    if operation.kind != "conv":
        if len(before) != 2:
            raise refuse(operation, f"has an input of {len(before)} axes: flatten it first")
        return {}
    if layer.padding_mode != "zeros":
        raise refuse(operation, f"pads by {layer.padding_mode}")
    kernel, dilation = pair(layer.kernel_size), pair(layer.dilation)
    return {
        "stride": pair(layer.stride),
        "padding": _pads(layer.padding, kernel, dilation),
        "dilation": dilation,
        "groups": int(layer.groups),
    }


def _pads(padding: Any, kernel: Shape, dilation: Shape) -> tuple[tuple[int, int], ...]:
    """``((top, bottom), (left, right))``; "same" pads more at the end, as torch does."""
    if padding == "valid":
        return ((0, 0), (0, 0))
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((p, p) for p in pair(padding))
