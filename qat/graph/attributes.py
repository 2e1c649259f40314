"""Attributes of a traced operation.

They are the same whether the user wrote a module, a function or a method.
"""

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
"""Start, end and step along each axis."""


def attributes(operation: Operation, module: Any, values: Values) -> dict[str, Any]:
    """Return the numbers that, with its kind, define what an operation does.

    A size that the network computes has the value of the recorded run.

    Args:
        operation: Operation of a traced network.
        module: The layer that it calls; None for a function.
        values: Recorded run of that network.

    Returns:
        Name of an attribute → value, for example ``stride``, ``padding``, ``axis``.

    Raises:
        UnsupportedOperationError: If this variant of the operation has no integer form; the
            message names its line.
    """
    make = _MAKERS.get(operation.kind)
    arguments = {n: values.resolved(value) for n, value in operation.arguments.items()}
    arguments.pop("other", None)  # of two tensors, the second one
    if unknown := [name for name, value in arguments.items() if _depends(value)]:
        raise refuse(operation, f"takes {unknown[0]} from a tensor")
    before, after = values.shapes[operation.inputs[0]], values.shapes[operation.node]
    if operation.kind in LAYERS:
        return layer_attributes(operation, module, before)
    if make is None:
        return {name: value for name, value in arguments.items() if name != "inplace"}
    return make(operation, arguments, before, after)


def pool_kind(operation: Operation, values: Values) -> str:
    """Return the kind of a pool whose window follows from the size of its output.

    Args:
        operation: A pool, or a mean over height and width.
        values: Recorded run of the network.

    Returns:
        ``global_avg_pool`` for an output of 1 x 1, ``identity`` for an output as large as the
        input, else ``avg_pool``; the kind of any other operation unchanged.
    """
    before, after = values.shapes[operation.inputs[0]], values.shapes[operation.node]
    if operation.kind == "mean" or (operation.kind == "adaptive_avg_pool" and after[2:] == (1, 1)):
        return "global_avg_pool"
    if operation.kind == "adaptive_avg_pool":
        return "identity" if before == after else "avg_pool"
    return operation.kind


def pair(value: Any) -> tuple[int, int]:
    """Return ``(height, width)`` for one number or two.

    Example:
        >>> pair(3), pair([1, 2])
        ((3, 3), (1, 2))
    """
    if isinstance(value, int):
        return value, value
    values = tuple(value)
    return values * 2 if len(values) == 1 else values  # type: ignore[return-value]


def refuse(operation: Operation, why: str) -> UnsupportedOperationError:
    """Return the error for a variant without an integer form.

    Args:
        operation: The operation; the message names it and its line.
        why: Verb and object, such as ``joins images``.
    """
    return refusal(
        f"{operation.kind} {operation.name!r} at {where(operation.node)} {why}, which has no "
        "integer form here"
    )


def _depends(value: Any) -> bool:
    """Return whether an argument contains a node, so that its value depends on a tensor."""
    left: list[fx.Node] = []
    fx.node.map_arg(value, left.append)
    return bool(left)


def _add(
    operation: Operation, arguments: dict[str, Any], before: Any, after: Any
) -> dict[str, Any]:
    alpha = arguments.get("alpha", 1)
    if alpha == 1:
        return {}
    if not isinstance(alpha, int | float) or not alpha > 0:
        raise refuse(operation, f"has alpha={alpha}, not above 0")
    return {"alpha": float(alpha)}


def _max_pool(
    operation: Operation, arguments: dict[str, Any], before: Shape, after: Shape
) -> dict[str, Any]:
    return _window(arguments, before, after)


def _avg_pool(
    operation: Operation, arguments: dict[str, Any], before: Shape, after: Shape
) -> dict[str, Any]:
    window = _window(arguments, before, after)
    padding = pair(arguments["padding"])
    include = bool(arguments["count_include_pad"]) and any(padding)
    if include and any(end > pad for (_, end), pad in zip(window["padding"], padding, strict=True)):
        # Torch divides a last window that reaches beyond the padding by the values inside it,
        # onnxruntime's integer kernel divides it by the size of the whole kernel.
        raise refuse(operation, "has ceil_mode and count_include_pad")
    if include:
        window["padding"] = tuple((pad, pad) for pad in padding)
    return window | {"count_include_pad": include}


def _window(arguments: Mapping[str, Any], before: Shape, after: Shape) -> dict[str, Any]:
    """Return kernel, stride, dilation, and the padding that gives exactly torch's windows.

    With this padding ``ceil_mode`` is not needed. Torch drops a last window that would begin
    beyond the image; some runtimes keep it.
    """
    kernel, dilation = pair(arguments["kernel_size"]), pair(arguments.get("dilation", 1))
    stride = pair(arguments["stride"]) if arguments["stride"] else kernel
    padding = []
    for axis, begin in enumerate(pair(arguments["padding"])):
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


def _mean(
    operation: Operation, arguments: dict[str, Any], before: Shape, _: Shape
) -> dict[str, Any]:
    dims = arguments["dim"]
    axes = {axis % len(before) for axis in ([dims] if isinstance(dims, int) else dims or [])}
    if axes != {2, 3}:
        raise refuse(operation, "is not over height and width")
    return {"keepdim": bool(arguments["keepdim"])}


def _concat(
    operation: Operation, arguments: dict[str, Any], before: Shape, _: Shape
) -> dict[str, Any]:
    axis = arguments["dim"] % len(before)
    if axis == 0:
        raise refuse(operation, "joins images")
    return {"axis": axis}


def _reshape(operation: Operation, arguments: Any, before: Shape, after: Shape) -> dict[str, Any]:
    if before[:1] != after[:1]:
        raise refuse(operation, "moves images into another axis")
    if any(isinstance(size, torch.dtype) for size in arguments.get("shape", ())):
        raise refuse(operation, "reads bytes as another type")
    return {"shape": after[1:]}


def _permute(operation: Operation, arguments: Any, before: Shape, _: Shape) -> dict[str, Any]:
    rank = len(before)
    if "dim0" in arguments:
        dims = list(range(rank))
        one, other = arguments["dim0"] % rank, arguments["dim1"] % rank
        dims[one], dims[other] = other, one
    else:
        dims = [int(d) % rank for d in arguments["dims"]]
    if dims[0] != 0:
        raise refuse(operation, "moves images into another axis")
    return {"dims": tuple(dims)}


def _split(operation: Operation, arguments: Any, before: Shape, after: Any) -> dict[str, Any]:
    """Return the ranges of each part."""
    axis = arguments["dim"] % len(before)
    if axis == 0:
        raise refuse(operation, "selects images")
    ends = list(accumulate(part[axis] for part in after))
    parts = zip([0, *ends], ends, strict=False)
    return {"parts": tuple(_along(before, axis, (start, end, 1)) for start, end in parts)}


def _along(before: Shape, axis: int, part: tuple[int, int, int]) -> Ranges:
    """Return the ranges of all axes except the first; only ``axis`` is cut."""
    whole = [(0, size, 1) for size in before]
    whole[axis] = part
    return tuple(whole[1:])


def _slice(operation: Operation, arguments: Any, before: Any, after: Shape) -> dict[str, Any]:
    """Return the ranges of each axis after the batch axis.

    ``shape`` is added if the indices remove or add axes.
    """
    index = arguments["index"]
    if before and isinstance(before[0], tuple):  # one part of a split, which has the ranges
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
    """Return one index for each axis, without new axes.

    None if an index is neither a number nor a slice.
    """
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
    """Return whether the first index selects every image of any batch.

    That is a plain colon, or bounds that ``forward`` computes from a size.
    """
    if not parts or parts[0] == slice(None):
        return True
    computed = isinstance(written, slice) and isinstance(written.stop, fx.Node)
    whole = (0, before[0], 1)
    return computed and parts[0].indices(before[0]) == whole


def _pad(
    operation: Operation, arguments: dict[str, Any], before: Shape, _: Shape
) -> dict[str, Any]:
    pads = arguments.get("pad", arguments.get("padding"))
    pads = [int(p) for p in pads]  # type: ignore[union-attr]
    if min(pads) < 0:
        raise refuse(operation, "crops by a negative pad")
    widths = [(0, 0)] * len(before)
    for axis in range(len(pads) // 2):
        widths[len(before) - 1 - axis] = (pads[2 * axis], pads[2 * axis + 1])
    if widths[0] != (0, 0):
        raise refuse(operation, "adds images")
    return {"widths": tuple(widths)}


def _resize(
    operation: Operation, arguments: dict[str, Any], before: Shape, _: Shape
) -> dict[str, Any]:
    """Return the source row and column of each output row and column.

    They result from resizing an image of pixel numbers.
    """
    if len(before) != 4 or arguments["mode"] not in ("nearest", "nearest-exact"):
        raise refuse(operation, f"interpolates by mode={arguments['mode']}")
    rows, columns = before[2:]
    places = torch.arange(rows * columns, dtype=torch.float64).reshape(1, 1, rows, columns)
    taken = F.interpolate(places, **arguments).long()[0, 0]
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
    """Return stride, padding, dilation and groups of a convolution; nothing for other layers.

    Args:
        operation: A convolution, a linear layer or a batch norm.
        layer: The layer that it calls.
        before: Shape of its input, batch axis included.

    Raises:
        UnsupportedOperationError: If a linear layer reads an input of other than two axes, or a
            convolution pads with anything but zeros.
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
    """Return ``((top, bottom), (left, right))``; "same" pads more at the end, as in torch."""
    if padding == "valid":
        return ((0, 0), (0, 0))
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((p, p) for p in pair(padding))
