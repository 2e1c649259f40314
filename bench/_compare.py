"""What moved between two reports of one benchmark, beyond its spread."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench._figures import Figure, figures, is_relative, settings

SINGLE_SHARE = 0.1
"""A figure without quartiles has moved if it changes by more than twice this share, about."""
MACHINE = ("cpu", "cores", "threads", "device")
"""Times are compared only if these are the same."""

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Two reports of one benchmark.

    Args:
        moved: A line for each figure that moved.
        unmoved: Number of figures that did not.
        not_compared: Number of times that are not compared, since the machines differ.
        differing: Settings that differ; then nothing is compared.
    """

    moved: list[str] = field(default_factory=list)
    unmoved: int = 0
    not_compared: int = 0
    differing: list[str] = field(default_factory=list)

    def lines(self, name: str) -> Iterator[str]:
        """What is printed about the benchmark of that name."""
        if self.differing:
            yield f"{name}: not compared, settings differ: {', '.join(self.differing)}"
            return
        left = f", {self.not_compared} times of another machine not compared"
        yield (
            f"{name}: {len(self.moved)} moved beyond their spread, {self.unmoved} did not"
            f"{left if self.not_compared else ''}"
        )
        yield from (f"  {line}" for line in self.moved)


def compare(before: Report, after: Report) -> Comparison:
    """Compare figures of the same name: ratios always, times if the machines are alike.

    A figure has moved if the intervals between its quartiles do not overlap. One without quartiles
    has an interval of 10 % to either side.

    Args:
        before: A report.
        after: A later one of the same benchmark.
    """
    differing = _differing(before["results"], after["results"])
    if differing:
        return Comparison(differing=differing)
    alike = all(before["machine"].get(key) == after["machine"].get(key) for key in MACHINE)
    old, new = figures(before["results"]), figures(after["results"])
    common = [name for name in old if name in new]
    compared = [name for name in common if alike or is_relative(name)]
    moved = [name for name in compared if has_moved(old[name], new[name])]
    return Comparison(
        moved=[f"{name}: {shown(old[name])} → {shown(new[name])}" for name in moved],
        unmoved=len(compared) - len(moved),
        not_compared=len(common) - len(compared),
    )


def has_moved(before: Figure, after: Figure) -> bool:
    """Whether the intervals of two figures do not overlap.

    Args:
        before: A figure.
        after: The same in a later report.

    Example:
        >>> has_moved(Figure(1.0, 5, 0.9, 1.1), Figure(1.2, 5, 1.05, 1.3))
        False
        >>> has_moved(Figure(1.0), Figure(1.3))
        True
    """
    (low, high), (new_low, new_high) = (f.interval(SINGLE_SHARE) for f in (before, after))
    return high < new_low or new_high < low


def shown(figure: Figure) -> str:
    """Median and quartiles as text, to four digits."""
    text = short(figure.median)
    if figure.q1 is None or figure.q3 is None:
        return text
    return f"{text} ({short(figure.q1)} to {short(figure.q3)})"


def short(value: float) -> str:
    """To four digits, large numbers with separators.

    Example:
        >>> short(1.18029), short(13.89187), short(2013908992.0), short(0.0)
        ('1.180', '13.89', '2,013,908,992', '0')
    """
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 0.001:
        return f"{value:.2e}"
    digits = 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1
    return f"{value:.{digits}f}"


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = settings(before), settings(after)
    return [f"{key} {old[key]} → {new[key]}" for key in old if key in new and old[key] != new[key]]
