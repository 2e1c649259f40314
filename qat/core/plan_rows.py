"""A plan's plain data as rows, one for each quantized tensor, and back: for a DataFrame.

Columns: ``name`` of the layer or of the operation; ``slot``: ``weight``, ``act`` (the input),
``output``, ``tensor`` (between layers) or ``float`` (the layer stays float); ``kind``; the fields
of :class:`qat.core.scheme.TensorSpec`; ``shares``; ``end``: ``first`` or ``last`` layer of the
network; ``placement``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.scheme import TensorSpec

LAYER_SLOTS = ("weight", "act", "output")
SLOTS = (*LAYER_SLOTS, "tensor", "float")
METHODS = ("quantizer", "observer")
PARTS = ("target", "options")
"""What a method has besides its name."""
SPEC = tuple(field.name for field in fields(TensorSpec))
WHOLE = ("bits", "group_size")
COLUMNS = (
    *("name", "slot", "kind"),
    *SPEC,
    *(f"{method}_{part}" for method in METHODS for part in PARTS),
    *("shares", "end", "placement"),
)

Row = dict[str, Any]


def plan_rows(data: Mapping[str, Any]) -> list[Row]:
    """The rows of a plan.

    Args:
        data: From :meth:`qat.core.plan.Plan.to_dict`.

    Example:
        >>> from qat.core.plan import Plan
        >>> plan_rows(Plan({}, left_float=(("norm", "BatchNorm2d"),)).to_dict())[0]["slot"]
        'float'
    """
    rows = [
        {"name": name, "slot": slot, "kind": layer["kind"], **_flat(layer[slot])}
        for name, layer in data["layers"].items()
        for slot in LAYER_SLOTS
        if layer[slot] is not None
    ]
    rows += [
        {"name": name, "slot": "tensor", "kind": tensor["kind"], **_flat(tensor["spec"])}
        | {"shares": tensor["shares"]}
        for name, tensor in data.get("tensors", {}).items()
    ]
    rows += [{"name": name, "slot": "float", "kind": kind} for name, kind in data["left_float"]]
    ends = data.get("ends", [])
    for end in dict.fromkeys(ends):  # of a network with one layer, both are the same
        words = [word for word, name in zip(("first", "last"), ends, strict=False) if name == end]
        for row in rows:
            if row["name"] == end and row["slot"] != "tensor":
                row["end"] = " ".join(words)
    return [{"placement": data["placement"], **row} for row in rows]


def plan_data(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The inverse of :func:`plan_rows`; an absent value is None.

    Raises:
        InputError: If a column or a slot is unknown, a name is absent, or rows contradict.
    """
    data: dict[str, Any] = {"layers": {}, "tensors": {}, "left_float": []}
    ends: dict[str, str] = {}
    placements: set[str] = set()
    for row in rows:
        _check(row)
        name, slot, kind = row["name"], row["slot"], row.get("kind")
        placements.add(row.get("placement") or "academic")
        ends |= {word: name for word in (row.get("end") or "").split()}
        if slot == "float":
            data["left_float"].append([name, kind])
        elif slot == "tensor":
            tensor = {"kind": kind, "spec": _spec(row), "shares": row.get("shares")}
            data["tensors"][name] = tensor
        else:
            layer = data["layers"].setdefault(name, {"kind": kind, "output": None})
            layer[slot] = _spec(row)
    if len(placements) > 1:
        raise InputError(f"a plan has one placement, got {', '.join(sorted(placements))}")
    return {
        "placement": next(iter(placements), "academic"),
        "ends": [ends[word] for word in ("first", "last") if word in ends],
        **data,
    }


def _check(row: Mapping[str, Any]) -> None:
    unknown = [str(column) for column in row if column not in COLUMNS]
    if unknown:
        columns = ", ".join(COLUMNS)
        raise InputError(f"a plan has no column {', '.join(unknown)}; it has {columns}")
    if not isinstance(row.get("name"), str):
        raise InputError(f"each row of a plan needs a name, got {row.get('name')!r}")
    one_of("slot", row.get("slot"), SLOTS)


def _flat(spec: Mapping[str, Any]) -> Row:
    """The fields of a spec in one level."""
    row = {key: value for key, value in spec.items() if key not in METHODS}
    for method in METHODS:
        row[method] = spec[method]["name"]
        row |= {f"{method}_{part}": spec[method][part] or None for part in PARTS}
    return row


def _spec(row: Mapping[str, Any]) -> Row:
    """The fields of a spec, those that the row does not have with their defaults."""
    spec = {key: row[key] for key in SPEC if key not in METHODS and row.get(key) is not None}
    for key in WHOLE:
        if isinstance(spec.get(key), float) and spec[key].is_integer():
            spec[key] = int(spec[key])  # a column with absent values has floating-point numbers
    for method, usual in zip(METHODS, ("minmax", "default"), strict=True):
        parts = {"target": row.get(f"{method}_target"), "options": row.get(f"{method}_options")}
        if not isinstance(parts["options"] or {}, Mapping):
            raise InputError(f"{method}_options must be a mapping, got {parts['options']!r}")
        parts["options"] = dict(parts["options"] or {})
        spec[method] = {"name": row.get(method) or usual, **parts}
    return spec
