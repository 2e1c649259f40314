"""Why accuracy fell: layers of a run that stand out, and which setting to try.

A layer stands out if its error is larger than its width explains. The reference is the
signal-to-quantization-noise ratio (SQNR) of normally distributed values on the best uniform grid
(J. Max 1960, "Quantizing for minimum distortion", table of equally spaced levels): 9.25, 14.27,
19.38, 24.57, 29.83, 40.57 dB at 2, 3, 4, 5, 6, 8 bits. Real weights and activations are within
some decibels of it. At 6 dB below it, the error is twice as large as the width explains.

This module reads rows and loads no torch.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qat.analysis.rows import TensorRow
from qat.base.plurals import counted
from qat.quantizers.declared import DECLARED

MAX_GAUSS_DB = {2: 9.25, 3: 14.27, 4: 19.38, 5: 24.57, 6: 29.83, 7: 35.13, 8: 40.57}
"""Width in bits → usual SQNR."""
SHORTFALL_DB = 6.0
"""A layer this far below the usual SQNR stands out; its error is twice the usual one."""
CHANNEL_GAP_DB = 15.0
"""A weight's worst channel this far below the whole weight is a cause."""
RANGE_RATIO = 4.0
"""A widest channel above this multiple of the median channel is a cause."""
CLIPPED = 0.01
"""A larger share of clipped input values is a cause."""
USED_CODES = 0.3
"""A smaller share of used codes is a cause."""
MORE_IMAGES = "calibrate.images={images}"
"""The caller that prints it fills in a number of images."""
LEARNED = tuple(name for name, declared in DECLARED.items() if declared.learns)
"""Quantizers that learn their range, and may clip for a smaller error."""


@dataclass(frozen=True)
class LayerRows:
    """The rows of one layer.

    Attributes:
        name: Module name.
        weight: Row of its weight; None if it is float.
        act: Row of its input; None if it is float.
        output: Row of its output.
        act_range: Name of the observer that set the range of its input, or of the quantizer that
            learned it; empty if unknown.
    """

    name: str
    weight: TensorRow | None
    act: TensorRow | None
    output: TensorRow
    act_range: str = ""

    @property
    def usual_db(self) -> float:
        """Usual SQNR of the output at the widths of weight and input, in dB; infinite if float."""
        noise = sum(
            10 ** (-_usual(row.bits) / 10) for row in (self.weight, self.act) if row is not None
        )
        return -10 * math.log10(noise) if noise else math.inf

    @property
    def alone_db(self) -> float:
        """SQNR of the output in dB if only this layer is quantized.

        The SQNR in the quantized network if that is unknown.
        """
        alone = self.output.alone_db
        return self.output.sqnr_db if alone is None else alone

    @property
    def stands_out(self) -> bool:
        """True if the layer's error is larger than its width explains."""
        return self.alone_db < self.usual_db - SHORTFALL_DB


@dataclass(frozen=True)
class Finding:
    """Something that costs accuracy.

    Attributes:
        kind: The problem, in words that fit each of its layers.
        layers: Layer → figures, worst first; empty for a problem of the whole network.
        settings: Overrides to try, as they are typed after ``qat run``.
    """

    kind: str
    layers: Mapping[str, str]
    settings: tuple[str, ...]


def layer_rows(rows: Sequence[TensorRow], plan: Mapping[str, Any]) -> list[LayerRows]:
    """Group rows by layer, in the order of the plan; layers without an output are left out.

    Args:
        rows: Rows of a run's ``layers.json``.
        plan: Layer → its plan as plain data, in execution order.
    """
    slots: dict[str, dict[str, TensorRow]] = {}
    for row in rows:
        slots.setdefault(row.name, {})[row.slot] = row
    names = [
        *(name for name in plan if name in slots),
        *(name for name in slots if name not in plan),
    ]
    return [
        LayerRows(
            name,
            slots[name].get("weight"),
            slots[name].get("act"),
            slots[name]["output"],
            _range_method(plan.get(name, {}).get("act", {})),
        )
        for name in names
        if "output" in slots[name]
    ]


def first_fall(layers: Sequence[LayerRows]) -> tuple[LayerRows, float] | None:
    """Return the first layer whose own error makes its output much worse than all earlier ones.

    Args:
        layers: Rows in execution order.

    Returns:
        The layer, and the lowest SQNR of the outputs before it in dB (infinite for the first
        layer); None if the SQNR decreases gradually.
    """
    level = math.inf
    for layer in layers:
        if layer.output.sqnr_db < level - SHORTFALL_DB and layer.stands_out:
            return layer, level
        level = min(level, layer.output.sqnr_db)
    return None


def findings(layers: Sequence[LayerRows], trained: bool = False) -> list[Finding]:
    """Return what stands out, worst first; layers with the same problem share one finding.

    Args:
        layers: Rows in execution order.
        trained: Whether the run was trained with quantizers (mode qat).

    Example:
        >>> rows = [TensorRow("fc", "weight", 20.0, bits=8, granularity="channel"),
        ...         TensorRow("fc", "output", 20.0)]
        >>> for finding in findings(layer_rows(rows, {})):
        ...     print(finding.kind, finding.layers)
        the weight loses more than its bits explain {'fc': '20.0 dB; 8 bits usually keep 40.6 dB'}
    """
    worst = sorted((layer for layer in layers if layer.stands_out), key=lambda one: one.alone_db)
    merged: dict[str, Finding] = {}
    for finding in (finding for layer in worst for finding in _causes(layer)):
        known = merged.setdefault(finding.kind, finding)
        merged[finding.kind] = Finding(
            known.kind, {**known.layers, **finding.layers}, known.settings
        )
    return list(merged.values()) or _gradual(layers, trained)


def _causes(layer: LayerRows) -> list[Finding]:
    """Return a finding for each slot that explains the loss; one for the layer if none does."""
    causes = [
        *(_weight_causes(layer.name, layer.weight) if layer.weight else ()),
        *(_act_causes(layer.name, layer.act, layer.act_range) if layer.act else ()),
    ]
    if causes:
        return causes
    figures = f"{_db(layer.alone_db)}, where {_db(layer.usual_db)} are usual"
    return [
        Finding(
            "the output loses more than its bits explain",
            {layer.name: figures},
            _more_bits_of_both(layer),
        )
    ]


def _more_bits_of_both(layer: LayerRows) -> tuple[str, ...]:
    rows = {"weight": layer.weight, "act": layer.act}
    settings = [more_bits(layer.name, slot, row.bits) for slot, row in rows.items() if row]
    return tuple(dict.fromkeys(settings))


def _weight_causes(name: str, row: TensorRow) -> Iterator[Finding]:
    worst, ratio = row.worst_channel_db, row.channel_range_ratio or 1.0
    gap = worst is not None and worst < row.sqnr_db - CHANNEL_GAP_DB
    if row.granularity == "tensor" and (gap or row.dead_channels or ratio > RANGE_RATIO):
        dead = f", {counted(row.dead_channels, 'channel')} became zero" if row.dead_channels else ""
        figures = (
            f"{_db(row.sqnr_db)} as a whole, {_db(worst)} in its worst channel; the widest channel "
            f"has {ratio:.1f} times the range of the median one{dead}"
        )
        kind = "one scale covers weight channels of different ranges"
        yield Finding(kind, {name: figures}, ("scheme.weight.granularity=channel",))
    elif row.sqnr_db < _usual(row.bits) - SHORTFALL_DB:
        settings = ("observer@scheme.weight=mse", more_bits(name, "weight", row.bits))
        yield Finding("the weight loses more than its bits explain", _beside_usual(row), settings)


def _act_causes(name: str, row: TensorRow, method: str) -> Iterator[Finding]:
    settings: tuple[str, ...]
    if row.clipped is not None and row.clipped > CLIPPED and method not in LEARNED:
        whole = () if method == "minmax" else ("observer@scheme.act=minmax",)
        figures = {name: f"{100 * row.clipped:.1f} %"}
        settings = (*whole, MORE_IMAGES)
        yield Finding("input values lie outside the range and are clipped", figures, settings)
    elif row.used_codes is not None and row.used_codes < USED_CODES:
        settings = ("observer@scheme.act=mse", "observer@scheme.act=percentile")
        figures = {name: f"{100 * row.used_codes:.0f} % of the codes are used"}
        yield Finding("the input's range is wider than its data", figures, settings)
    elif row.sqnr_db < _usual(row.bits) - SHORTFALL_DB:
        settings = ("observer@scheme.act=mse", more_bits(name, "act", row.bits))
        yield Finding("the input loses more than its bits explain", _beside_usual(row), settings)


def _gradual(layers: Sequence[LayerRows], trained: bool) -> list[Finding]:
    """Return the finding for a network in which no layer stands out."""
    if len(layers) < 2:
        return []
    first, last = _db(layers[0].output.sqnr_db), _db(layers[-1].output.sqnr_db)
    kind = (
        "no layer loses more than its bits explain; the SQNR of the outputs goes from "
        f"{first} to {last} over {len(layers)} layers"
    )
    one_scale = any(row.weight and row.weight.granularity == "tensor" for row in layers)
    settings = (
        *(("scheme.weight.granularity=channel",) if one_scale else ()),
        *(() if trained else ("mode=qat",)),
        "mode=mixed",
    )
    return [Finding(kind, {}, settings)]


def more_bits(name: str, slot: str, bits: int | None = None) -> str:
    """Return the override that gives a tensor of one layer 8 bits, or leaves the layer float.

    Args:
        name: Layer name.
        slot: ``weight`` or ``act``.
        bits: Present width; from 8 bits on the layer becomes float. None means fewer than 8.

    Example:
        >>> print(more_bits("conv1", "act", 4))
        scheme.rules='[{match: conv1, act: {bits: 8}}]'
    """
    change = "keep_float: true" if bits is not None and bits >= 8 else f"{slot}: {{bits: 8}}"
    return f"scheme.rules='[{{match: {name}, {change}}}]'"


def _range_method(spec: Mapping[str, Any]) -> str:
    quantizer, observer = (spec.get(key, {}).get("name", "") for key in ("quantizer", "observer"))
    return quantizer if quantizer in LEARNED else observer


def _usual(bits: int | None) -> float:
    """Return the usual SQNR in dB: infinite for float, 6.02 dB more for each bit beyond eight."""
    if bits is None:
        return math.inf
    return MAX_GAUSS_DB.get(bits, MAX_GAUSS_DB[8] + 6.02 * (bits - 8))


def _beside_usual(row: TensorRow) -> dict[str, str]:
    return {row.name: f"{_db(row.sqnr_db)}; {row.bits} bits usually keep {_db(_usual(row.bits))}"}


def _db(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} dB" if math.isfinite(value) else "everything"
