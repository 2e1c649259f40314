"""Attributes of a traced operation, the same whether it was written as a module or a function."""

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from qat.graph.operations import LAYERS, Operation, UnsupportedOperationError, refusal
from qat.graph.trace import where
from qat.graph.values import Shape, Values

Ranges = tuple[tuple[int, int, int], ...]
"""First, end and step along each axis."""


def attributes(operation: Operation, module: Any, values: Values) -> dict[str, Any]:
    """Plain numbers that say what an operation does, beside its kind.

    Sizes that the network computes are those of the run.

    Args:
        operation: Of a traced network.
        module: The layer it calls; None for a function.
        values: Of a run of that network.

    Raises:
        UnsupportedOperationError: If it is a variant that has no integer form here; its line is
            named.
    """
    make = _MAKERS.get(operation.kind)
    given = {n: values.resolved(value) for n, value in operation.arguments.items()}
    given.pop("other", None)  # of two tensors, the second one
    if unknown := [name for name, value in given.items() if _depends(value)]:
        raise refuse(operation, f"takes {unknown[0]} from a tensor")
    before, after = values.shapes[operation.inputs[0]], values.shapes[operation.node]
    if operation.kind in LAYERS:
        return layer_attributes(operation, module, before)
    if make is None:
        return {name: value for name, value in given.items() if name != "inplace"}
    return make(operation, given, before, after)


def pool_kind(operation: Operation, values: Values) -> str:
    """What a pool that goes by its output's size is: global, plain, or none at all."""
    before, after = values.shapes[operation.inputs[0]], values.shapes[operation.node]
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
    return refusal(
        f"{operation.kind} {operation.name!r} at {where(operation.node)} {why}, which has no "
        "integer form here"
    )


def _depends(value: Any) -> bool:
    """Whether a node is left in an argument: a value that a tensor holds."""
    left: list[fx.Node] = []
    fx.node.map_arg(value, left.append)
    return bool(left)


def _add(operation: Operation, given: dict[str, Any], before: Any, after: Any) -> dict[str, Any]:
    alpha = given.get("alpha", 1)
    if alpha == 1:
        return {}
    if not isinstance(alpha, int | float) or not alpha > 0:
        raise refuse(operation, f"has alpha={alpha}, not above 0")
    return {"alpha": float(alpha)}


def _max_pool(
    operation: Operation, given: dict[str, Any], before: Shape, after: Shape
) -> dict[str, Any]:
    return _window(given, before, after)


def _avg_pool(
    operation: Operation, given: dict[str, Any], before: Shape, after: Shape
) -> dict[str, Any]:
    found = _window(given, before, after)
    padding = pair(given["padding"])
    include = bool(given["count_include_pad"]) and any(padding)
    if include and any(end > own for (_, end), own in zip(found["padding"], padding, strict=True)):
        # torch divides a last window that reaches beyond the padding by what lies inside it, and
        # onnxruntime's integer kernel by the whole kernel.
        raise refuse(operation, "has ceil_mode and count_include_pad")
    if include:
        found["padding"] = tuple((own, own) for own in padding)
    return found | {"count_include_pad": include}


def _window(given: Mapping[str, Any], before: Shape, after: Shape) -> dict[str, Any]:
    """Kernel, stride, dilation, and padding that makes just the windows there are.

    So ``ceil_mode`` need not be said: torch drops a last window that would begin beyond the image,
    of which runtimes think otherwise.
    """
    kernel, dilation = pair(given["kernel_size"]), pair(given.get("dilation", 1))
    stride = pair(given["stride"]) if given["stride"] else kernel
    padding = []
    for axis, begin in enumerate(pair(given["padding"])):
        reach = dilation[axis] * (kernel[axis] - 1) + 1
        used = (after[2 + axis] - 1) * stride[axis] + reach
        padding.append((begin, max(0, used - before[2 + axis] - begin)))
    return {"kernel": kernel, "stride": stride, "padding": tuple(padding), "dilation": dilation}


def _adaptive(operation: Operation, _: Any, before: Shape, after: Shape) -> dict[str, Any]:
    sizes = list(zip(before[2:], after[2:], strict=True))
    if any(size % out for size, out in sizes):
        raise refuse(operation, f"cuts {before[2:]} into {after[2:]} windows of unequal size")
    kernel = tuple(size // out for size, out in sizes)
    return {
        "kernel": kernel,
        "stride": kernel,
        "padding": ((0, 0), (0, 0)),
        "dilation": (1, 1),
        "count_include_pad": False,
        "keepdim": True,
    }


def _mean(operation: Operation, given: dict[str, Any], before: Shape, _: Shape) -> dict[str, Any]:
    dims = given["dim"]
    axes = {axis % len(before) for axis in ([dims] if isinstance(dims, int) else dims or [])}
    if axes != {2, 3}:
        raise refuse(operation, "is not over height and width")
    return {"keepdim": bool(given["keepdim"])}


def _concat(operation: Operation, given: dict[str, Any], before: Shape, _: Shape) -> dict[str, Any]:
    axis = given["dim"] % len(before)
    if axis == 0:
        raise refuse(operation, "joins images")
    return {"axis": axis}


def _reshape(operation: Operation, given: Any, before: Shape, after: Shape) -> dict[str, Any]:
    if before[:1] != after[:1]:
        raise refuse(operation, "moves images into another axis")
    if any(isinstance(size, torch.dtype) for size in given.get("shape", ())):
        raise refuse(operation, "reads bytes as another type")
    return {"shape": after[1:]}


def _permute(operation: Operation, given: Any, before: Shape, _: Shape) -> dict[str, Any]:
    rank = len(before)
    if "dim0" in given:
        dims = list(range(rank))
        one, other = given["dim0"] % rank, given["dim1"] % rank
        dims[one], dims[other] = other, one
    else:
        dims = [int(d) % rank for d in given["dims"]]
    if dims[0] != 0:
        raise refuse(operation, "moves images into another axis")
    return {"dims": tuple(dims)}


def _split(operation: Operation, given: Any, before: Shape, after: Any) -> dict[str, Any]:
    """Where each part lies along the axis."""
    axis = given["dim"] % len(before)
    if axis == 0:
        raise refuse(operation, "selects images")
    ends = list(accumulate(part[axis] for part in after))
    parts = zip([0, *ends], ends, strict=False)
    return {"parts": tuple(_along(before, axis, (start, end, 1)) for start, end in parts)}


def _along(before: Shape, axis: int, part: tuple[int, int, int]) -> Ranges:
    """Ranges of all axes but the first, whole except one."""
    whole = [(0, size, 1) for size in before]
    whole[axis] = part
    return tuple(whole[1:])


def _slice(operation: Operation, given: Any, before: Any, after: Shape) -> dict[str, Any]:
    """Ranges of every axis behind the batch's; ``shape`` where indices drop or add axes."""
    index = given["index"]
    if before and isinstance(before[0], tuple):  # one part of a split: its own ranges say which
        return {"part": int(index)}
    written = operation.arguments["index"]
    parts = _per_axis(index, len(before))
    if parts is None or len(operation.inputs) > 1:
        raise refuse(operation, "indexes by something other than numbers and slices")
    first = _per_axis(written, len(before))[:1]  # type: ignore[index]
    if not _all_images(first[0] if first else slice(None), parts, before):
        raise refuse(operation, "selects images")
    ranges = [
        (part % size, part % size + 1, 1) if isinstance(part, int) else part.indices(size)
        for part, size in zip(parts, before, strict=False)
    ]
    if any(step < 1 for _, _, step in ranges):
        raise refuse(operation, "runs backwards")
    kept = (*(len(range(*part)) for part in ranges[1:]), *before[len(ranges) :])
    more = {"shape": after[1:]} if kept != after[1:] else {}
    return {"ranges": tuple(ranges[1:])} | more


def _per_axis(index: Any, rank: int) -> list[Any] | None:
    """One index an axis, new axes left out; None if one is neither number nor slice."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is not None and not _is_plain_index(part) for part in parts):
        return None
    parts = [part for part in parts if part is not None]
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (rank - len(parts) + 1)
    return parts


def _is_plain_index(part: Any) -> bool:
    plain = isinstance(part, int | slice | fx.Node) and not isinstance(part, bool)
    return plain or part is Ellipsis


def _all_images(written: Any, parts: list[Any], before: Shape) -> bool:
    """The first index takes every image of any batch: a plain colon, or bounds read off a size."""
    if not parts or parts[0] == slice(None):
        return True
    computed = isinstance(written, slice) and isinstance(written.stop, fx.Node)
    whole = (0, before[0], 1)
    return computed and parts[0].indices(before[0]) == whole


def _pad(operation: Operation, given: dict[str, Any], before: Shape, _: Shape) -> dict[str, Any]:
    pads = given.get("pad", given.get("padding"))
    pads = [int(p) for p in pads]  # type: ignore[union-attr]
    if min(pads) < 0:
        raise refuse(operation, "crops by a negative pad")
    widths = [(0, 0)] * len(before)
    for axis in range(len(pads) // 2):
        widths[len(before) - 1 - axis] = (pads[2 * axis], pads[2 * axis + 1])
    if widths[0] != (0, 0):
        raise refuse(operation, "adds images")
    return {"widths": tuple(widths)}


def _resize(operation: Operation, given: dict[str, Any], before: Shape, _: Shape) -> dict[str, Any]:
    """Which row and which column each of the output's is, found by resizing their numbers."""
    if len(before) != 4 or given["mode"] not in ("nearest", "nearest-exact"):
        raise refuse(operation, f"interpolates by mode={given['mode']}")
    rows, columns = before[2:]
    places = torch.arange(rows * columns, dtype=torch.float64).reshape(1, 1, rows, columns)
    taken = F.interpolate(places, **given).long()[0, 0]
    across = tuple((taken[0] % columns).tolist())
    return {"rows": tuple((taken[:, 0] // columns).tolist()), "columns": across}


_MAKERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "add": _add,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "adaptive_avg_pool": _adaptive,
    "mean": _mean,
    "concat": _concat,
    "flatten": _reshape,
    "reshape": _reshape,
    "permute": _permute,
    "split": _split,
    "slice": _slice,
    "pad": _pad,
    "resize": _resize,
}


def layer_attributes(operation: Operation, layer: Any, before: Shape) -> dict[str, Any]:
    """Stride, padding, dilation and groups of a convolution; nothing for other layers.

    Raises:
        UnsupportedOperationError: If it is a variant that has no integer form here.
    """
    if operation.kind == "linear" and len(before) != 2:
        raise refuse(operation, f"has an input of {len(before)} axes, not flattened")
    if operation.kind != "conv":
        return {}
    if layer.padding_mode != "zeros":
        raise refuse(operation, f"has padding_mode={layer.padding_mode}")
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
