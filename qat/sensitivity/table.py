"""Sensitivity tables: layer x slot x bits → score, in the unit of a metric."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.sensitivity.widths import SLOTS, Slot

TABLE_VERSION = 1
DECIBELS = "dB"
_INFINITE = {"inf": math.inf, "-inf": -math.inf}  # JSON has no infinities


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """The score of a network in which only one tensor is quantized.

    Attributes:
        layer: Module name.
        slot: ``weight`` or ``act``.
        bits: Width of that tensor; 16 is fp16, 32 float.
        score: In the unit of the metric.

    Raises:
        ValueError: If the score is NaN, or the slot unknown.
    """

    layer: str
    slot: str
    bits: int
    score: float

    def __post_init__(self) -> None:
        """Check the slot and the score."""
        one_of("slot", self.slot, SLOTS)
        if math.isnan(self.score):
            raise InputError(
                f"the score of {self.layer} ({self.slot}, {self.bits} bits) is NaN: the network "
                "diverges there; leave that width out, or calibrate with other images"
            )


@dataclass(frozen=True)
class SensitivityTable:
    """Scores of one network by one metric.

    Attributes:
        metric: Name of the metric.
        unit: Of the scores; empty for a plain number.
        higher_is_worse: False for a quality, such as a signal-to-quantization-noise ratio (SQNR).
        digest: Of network, data and methods (see :mod:`qat.sensitivity.cache_key`).
        rows: In execution order of the layers.

    Raises:
        ValueError: If a tensor has two scores at one width.

    Example:
        >>> rows = (SensitivityRow("fc", "weight", bits, 5.0 * bits) for bits in (2, 4))
        >>> SensitivityTable("output_sqnr", "dB", False, "", tuple(rows)).harms()
        {('fc', 'weight'): {4: 0.01, 2: 0.1}}
    """

    metric: str
    unit: str
    higher_is_worse: bool
    digest: str
    rows: tuple[SensitivityRow, ...]

    def __post_init__(self) -> None:
        """Check that each tensor has one score at each width."""
        if len(self.scores) < len(self.rows):
            raise InputError("a tensor has two scores at one width: leave one of the two out")

    @cached_property
    def scores(self) -> Mapping[tuple[str, str, int], float]:
        """``(layer, slot, bits)`` → score."""
        return {(row.layer, row.slot, row.bits): row.score for row in self.rows}

    def check(self, digest: str) -> None:
        """Refuse the table of another network, other data or other methods.

        Raises:
            ValueError: If the digest is not that of the table.
        """
        if digest != self.digest:
            raise InputError(
                f"the sensitivity table ({self.metric}) belongs to another network, data or "
                f"methods: its digest is {self.digest}, the digest here is {digest}; compute the "
                "table again"
            )

    def harms(self, monotone: bool = True) -> dict[Slot, dict[int, float]]:
        """The harms that allocators minimise: slot → bits → harm, higher is worse.

        The harm of a score in dB is its power ratio, ``10 ** (-score / 10)``, since noise powers
        add up and decibels do not. The harm of another quality is its negative.

        Args:
            monotone: Let no width be worse than a narrower one, nor better than float (harm 0):
                where a finite sample shows the contrary, it is noise.
        """
        harms: dict[Slot, dict[int, float]] = {}
        for row in self.rows:
            harm = harm_of(row.score, self.unit, self.higher_is_worse)
            harms.setdefault((row.layer, row.slot), {})[row.bits] = harm
        if monotone:
            best = 0.0 if self.higher_is_worse or self.unit == DECIBELS else -math.inf
            return {slot: _monotone(own, best) for slot, own in harms.items()}
        return harms

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON; infinite scores are ``"inf"`` and ``"-inf"``."""
        rows = [asdict(row) | {"score": plain_score(row.score)} for row in self.rows]
        head = {name: getattr(self, name) for name in _HEAD}
        return {"version": TABLE_VERSION, **head, "rows": rows}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SensitivityTable":
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: If the data is not such a table, or holds NaN.
        """
        if data.get("version") != TABLE_VERSION:
            raise InputError(
                f"sensitivity table version must be {TABLE_VERSION}, got {data.get('version')!r}: "
                "compute the table again"
            )
        try:
            rows = tuple(
                SensitivityRow(**{**row, "score": read_score(row["score"])}) for row in data["rows"]
            )
            return cls(**{name: data[name] for name in _HEAD}, rows=rows)
        except (KeyError, TypeError) as error:
            raise InputError(
                f"not a sensitivity table: {error}; take a file that a run wrote"
            ) from error

    def save(self, path: Path) -> None:
        """Write the table as JSON."""
        path.write_text(json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> "SensitivityTable":
        """Read a table written by :meth:`save`.

        Raises:
            ValueError: If the file is not such a table.
        """
        return cls.from_dict(json.loads(path.read_text()))


def harm_of(score: float, unit: str, higher_is_worse: bool) -> float:
    """The harm of a score, see :meth:`SensitivityTable.harms`.

    Args:
        score: In the unit of the metric.
        unit: Of the metric.
        higher_is_worse: False for a quality.

    Example:
        >>> harm_of(20.0, "dB", higher_is_worse=False)
        0.01
    """
    sign = 1 if higher_is_worse else -1
    return 10 ** (sign * score / 10) if unit == DECIBELS else sign * score


_HEAD = ("metric", "unit", "higher_is_worse", "digest")


def _monotone(harms: Mapping[int, float], best: float) -> dict[int, float]:
    worst, monotone = best, {}
    for bits in sorted(harms, reverse=True):
        worst = max(worst, harms[bits])
        monotone[bits] = worst
    return monotone


def plain_score(score: float) -> float | str:
    """A score ready for JSON."""
    return score if math.isfinite(score) else repr(score)


def read_score(value: Any) -> float:
    """The inverse of :func:`plain_score`."""
    return _INFINITE[value] if value in _INFINITE else float(value)
