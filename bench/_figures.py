"""The figures of a report: medians with their spread by name, and the settings that they are of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SETTINGS = (
    *("model", "batch", "bits", "size", "channels", "device", "precision", "memory_format"),
    *("data", "train_images", "image_shape", "batches_per_round", "workers", "images", "widths"),
    *("slots", "layers", "points", "records", "side", "shape", "every", "same_scores", "equal"),
)
"""Keys of what was measured. Two reports are compared only where these agree."""
NOT_FIGURES = (
    *SETTINGS,
    "code",
    "threads",
    "repeats",
    "blocks",
    "nodes",
    "integer",
    "minor_faults",
)
ROW_KEYS = ("runtime", "network", "batch")
"""What tells the rows of a list apart."""
SPREADS = (("median", "n", "q1", "q3"), ("median", "blocks", "lower", "upper"))
ROW_SPREAD = ("median_ms", "repeats", "lower_ms", "upper_ms")
RELATIVE = ("ratio", "same_format", "speedups", "percent", "excess", "saving")
SEPARATOR = " · "


@dataclass(frozen=True)
class Figure:
    """A median and its quartiles.

    Args:
        median: Or the only value.
        n: Number of values; None where it is one.
        q1: Lower quartile; None of a single value.
        q3: Upper quartile.
    """

    median: float
    n: int | None = None
    q1: float | None = None
    q3: float | None = None

    def interval(self, share: float) -> tuple[float, float]:
        """From quartile to quartile; around a single value that share of it to either side."""
        if self.q1 is None or self.q3 is None:
            reach = share * abs(self.median)
            return self.median - reach, self.median + reach
        return self.q1, self.q3


def figures(results: Mapping[str, Any]) -> dict[str, Figure]:
    """All figures of the results of a report, by name: the keys that lead to them.

    Args:
        results: Nested; a spread has ``median`` and ``n``, ``q1``, ``q3`` if there are more values
            than one. Settings are left out.

    Example:
        >>> figures({"model": "resnet20", "step": {"n": 3, "median": 2.0, "q1": 1.0, "q3": 3.0}})
        {'step': Figure(median=2.0, n=3, q1=1.0, q3=3.0)}
    """
    return dict(_figures(results, ()))


def settings(results: Mapping[str, Any]) -> dict[str, Any]:
    """The settings at the top of the results: what the figures are of."""
    return {key: results[key] for key in SETTINGS if key in results}


def is_relative(name: str) -> bool:
    """Whether figures of that name can be compared across machines: ratios and sizes of files."""
    size = name.endswith("bytes") and "peak" not in name
    return size or any(word in name for word in RELATIVE)


def _figures(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Figure]]:
    if isinstance(value, Mapping):
        spread = _spread(value)
        if spread is not None:
            yield SEPARATOR.join(path), spread
            return
        for key, inner in value.items():
            if key not in NOT_FIGURES:
                yield from _figures(inner, (*path, key))
    elif isinstance(value, list):
        for row in value:
            if isinstance(row, Mapping):
                label = " ".join(_words(row))
                yield from _figures(row, (*path, label))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield SEPARATOR.join(path), Figure(float(value))


def _words(row: Mapping[str, Any]) -> Iterator[str]:
    for key in ROW_KEYS:
        if key in row:
            yield f"{key} {row[key]}" if key == "batch" else str(row[key])
    if "median_ms" in row:
        yield "ms"


def _spread(value: Mapping[str, Any]) -> Figure | None:
    for median, n, low, high in (*SPREADS, ROW_SPREAD):
        if median in value and (n in value or median == "median_ms"):
            return Figure(value[median], value.get(n), value.get(low), value.get(high))
    return None
