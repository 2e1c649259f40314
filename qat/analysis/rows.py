"""What quantization did to one tensor, as a row; needs no torch."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class TensorRow:
    """One tensor of one layer; None where a figure does not apply.

    Attributes:
        name: Of the layer.
        slot: ``weight``, ``act`` (the input), ``tensor`` (one between layers, by its own name) or
            ``output`` (against the float network's, so with all errors from before).
        sqnr_db: Infinite if nothing was lost.
        bits: Width of a code.
        symmetric: Zero point fixed at 0.
        granularity: ``tensor``, ``channel`` or ``group``.
        step: Mean scale.
        rmin: Smallest value a code stands for, over all slices.
        rmax: Largest.
        used_codes: Share of the grid's codes that occur.
        clipped: Share of values more than half a step beyond the range.
        max_error_steps: Largest error, in steps.
        rms_error_steps: Root of the mean squared error, in steps.
        worst_channel_db: Of a weight: lowest SQNR of an output channel.
        channel_range_ratio: Of a weight: the widest channel's range over the median channel's.
        dead_channels: Of a weight: channels that became zero.
        alone_db: Of an output: its SQNR if this layer alone is quantized and reads the float
            network's tensors.
    """

    name: str
    slot: str
    sqnr_db: float
    bits: int | None = None
    symmetric: bool | None = None
    granularity: str | None = None
    step: float | None = None
    rmin: float | None = None
    rmax: float | None = None
    used_codes: float | None = None
    clipped: float | None = None
    max_error_steps: float | None = None
    rms_error_steps: float | None = None
    worst_channel_db: float | None = None
    channel_range_ratio: float | None = None
    dead_channels: int | None = None
    alone_db: float | None = None


def rows_of(data: Iterable[Mapping[str, Any]]) -> list[TensorRow]:
    """Rows of what :func:`rows_to_json` wrote; a key that is not known is passed over."""
    known = TensorRow.__dataclass_fields__
    rows = [TensorRow(**{k: v for k, v in row.items() if k in known}) for row in data]
    return [row if row.sqnr_db is not None else replace(row, sqnr_db=math.inf) for row in rows]


def rows_to_json(rows: Iterable[TensorRow]) -> str:
    """A list of mappings; an infinite SQNR is null."""

    def finite(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    plain = [{name: finite(value) for name, value in asdict(row).items()} for row in rows]
    return json.dumps(plain, indent=1, allow_nan=False) + "\n"
