"""Tables of pairs: the score of a network in which two tensors are quantized together."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qat.base.errors import InputError
from qat.sensitivity.table import SensitivityTable, harm_of, plain_score, read_score
from qat.sensitivity.widths import Slot

PAIRS_VERSION = 2
Pair = tuple[Slot, int, Slot, int]
"""One tensor at one width, and another tensor at another width."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """The scores of a network in which only two tensors are quantized.

    Attributes:
        layer: Module name of the first tensor, in execution order.
        slot: ``weight`` or ``act``.
        bits: Width of that tensor.
        other_layer: Module name of the second tensor.
        other_slot: ``weight`` or ``act``.
        other_bits: Width of that tensor.
        scores: Name of a metric → score in its unit.

    Raises:
        ValueError: If a score is NaN.
    """

    layer: str
    slot: str
    bits: int
    other_layer: str
    other_slot: str
    other_bits: int
    scores: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check the scores."""
        for metric in (name for name, score in self.scores.items() if math.isnan(score)):
            raise InputError(
                f"{metric} of {self.layer} ({self.slot}, {self.bits} bits) together with "
                f"{self.other_layer} ({self.other_slot}, {self.other_bits} bits) is NaN: the "
                "network diverges there; leave that width out, or calibrate with other images"
            )

    @property
    def pair(self) -> Pair:
        """The two tensors with their widths."""
        return (
            (self.layer, self.slot),
            self.bits,
            (self.other_layer, self.other_slot),
            self.other_bits,
        )


@dataclass(frozen=True)
class PairTable:
    """Scores of pairs, each by the same metrics.

    Attributes:
        digest: Of network, data and methods, as of the table of single tensors.
        rows: In the order of measurement.
    """

    digest: str
    rows: tuple[PairRow, ...]

    def interactions(self, single: SensitivityTable) -> dict[Pair, float]:
        """Harm of each pair minus the harms of its tensors alone, as they were measured.

        Zero if the harms add up, below zero if the errors cancel. Pairs with an infinite harm
        are left out.

        Args:
            single: Scores of single tensors by one of the metrics.

        Raises:
            ValueError: If pairs have no score by that metric, the digests differ, or a single
                score is missing.

        Example:
            >>> from qat.sensitivity.table import SensitivityRow
            >>> alone = (SensitivityRow("a", "weight", 2, 1.0), SensitivityRow("b", "weight", 2, 2))
            >>> single = SensitivityTable("output_kl", "nats", True, "", alone)
            >>> both = PairRow("a", "weight", 2, "b", "weight", 2, {"output_kl": 0.5})
            >>> PairTable("", (both,)).interactions(single)
            {(('a', 'weight'), 2, ('b', 'weight'), 2): -2.5}
        """
        self._check(single)
        alone = single.harms(monotone=False)
        values = {}
        for row in self.rows:
            first, bits, second, other_bits = row.pair
            try:
                parts = alone[first][bits] + alone[second][other_bits]
            except KeyError as error:
                raise InputError(
                    f"the table of single tensors lacks {error}, which a pair needs: compute it "
                    "with all widths"
                ) from error
            score = row.scores[single.metric]
            value = harm_of(score, single.unit, single.higher_is_worse) - parts
            if math.isfinite(value):
                values[row.pair] = value
        return values

    def _check(self, single: SensitivityTable) -> None:
        lacking = [row for row in self.rows if single.metric not in row.scores]
        if lacking:
            metrics = list(lacking[0].scores)
            raise InputError(
                f"pairs by {', '.join(metrics)} need single sensitivities by one of these, got "
                f"{single.metric}: set sensitivity.metric={metrics[0]}, or leave that table out"
            )
        single.check(self.digest)

    def save(self, path: Path) -> None:
        """Write the table as JSON."""
        rows = [asdict(row) | {"scores": _each(plain_score, row.scores)} for row in self.rows]
        data = {"version": PAIRS_VERSION, "digest": self.digest, "rows": rows}
        path.write_text(json.dumps(data, allow_nan=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "PairTable":
        """Read a table written by :meth:`save`.

        Raises:
            ValueError: If the file is not such a table.
        """
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data.get("version") != PAIRS_VERSION:
            raise InputError(
                f"pair table version must be {PAIRS_VERSION}, got {data.get('version')!r}: delete "
                f"{path} and measure again"
            )
        rows = (
            PairRow(**{**row, "scores": _each(read_score, row["scores"])}) for row in data["rows"]
        )
        return cls(data["digest"], tuple(rows))


def _each(change: Callable[[Any], Any], scores: Mapping[str, Any]) -> dict[str, Any]:
    return {metric: change(score) for metric, score in scores.items()}
