"""A plan as a table for people: one line for each layer and for each tensor between layers."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from qat.base.text import plain
from qat.core.scheme import TensorSpec

GAP = "  "


class ShownPlan(Protocol):
    """What the table shows of a :class:`qat.core.plan.Plan`, which is above this file."""

    @property
    def layers(self) -> Mapping[str, Any]:
        """Layer name to its plan."""

    @property
    def tensors(self) -> Mapping[str, Any]:
        """Name of a tensor between layers to its plan."""

    @property
    def left_float(self) -> tuple[tuple[str, str], ...]:
        """Names and classes of the layers that stay float."""

    @property
    def placement(self) -> str:
        """Where quantizers are."""


def spec_words(spec: TensorSpec | None) -> str:
    """A spec in a few words; what is usual (one scale, symmetric, minmax) is left out.

    Example:
        >>> spec_words(TensorSpec(bits=4, signed=False, symmetric=False, granularity="channel"))
        'uint4 asymmetric, per channel'
    """
    if spec is None:
        return ""
    if spec.is_off:
        return "float"
    symmetry = "" if spec.symmetric else " asymmetric"
    words = [_format(spec) + symmetry + (" narrow" if spec.narrow else "")]
    if spec.granularity == "group":
        words.append(f"groups of {spec.group_size}")
    elif spec.granularity != "tensor" and not spec.is_block:
        words.append(f"per {spec.granularity}")
    words += ["power-of-two scale"] if spec.scale == "power_of_two" else []
    for method, usual in ((spec.quantizer, "minmax"), (spec.observer, "default")):
        words += [method.target or method.name] if method.name != usual else []
    return ", ".join(words)


def plan_text(plan: ShownPlan) -> str:
    """The table with aligned columns, then the layers that stay float.

    Example:
        >>> from qat.core.plan import LayerPlan, Plan
        >>> print(plan_text(Plan({"fc": LayerPlan("fc", "Linear", TensorSpec(), TensorSpec())})))
        layer  kind    weight  input
        fc     Linear  8 bit   8 bit
    """
    parts = [_aligned(rows) for rows in _tables(plan)]
    return plain("\n\n".join([*parts, *_remarks(plan)]), keep="\n")


def plan_html(plan: ShownPlan) -> str:
    """The same tables for a notebook."""
    remarks = "".join(f"<p>{html.escape(plain(line))}</p>" for line in _remarks(plan))
    return "".join(map(_html, _tables(plan))) + remarks


def _format(spec: TensorSpec) -> str:
    if spec.format != "int":
        return spec.format
    if spec.signed is None:
        return f"{spec.bits} bit"
    return f"int{spec.bits}" if spec.signed or spec.bits == 1 else f"uint{spec.bits}"


def _tables(plan: ShownPlan) -> list[list[list[str]]]:
    """The rows of each table that has any, the first one with its headings."""
    layers = [["layer", "kind", "weight", "input", "output"]]
    layers += [
        [layer.name, layer.kind, *map(spec_words, (layer.weight, layer.act, layer.output))]
        for layer in plan.layers.values()
    ]
    if not any(row[-1] for row in layers[1:]):
        layers = [row[:-1] for row in layers]
    tensors = [["tensor", "kind", "format", "quantizer of"]]
    tensors += [
        [tensor.name, tensor.kind, spec_words(tensor.spec), tensor.shares or ""]
        for tensor in plan.tensors.values()
    ]
    return [rows for rows in (layers, tensors) if len(rows) > 1]


def _remarks(plan: ShownPlan) -> list[str]:
    names = [f"{name} ({kind})" for name, kind in plan.left_float]
    lines = [f"float: {', '.join(names)}"] if names else []
    return [*lines, *([f"placement: {plan.placement}"] if plan.placement != "academic" else [])]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (GAP.join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)) for r in rows)
    return "\n".join(line.rstrip() for line in lines)


def _html(rows: Sequence[Sequence[str]]) -> str:
    lines = [
        "".join(f"<{tag}>{html.escape(plain(cell))}</{tag}>" for cell in row)
        for tag, row in zip(["th", *["td"] * (len(rows) - 1)], rows, strict=True)
    ]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
