"""From records to the points of a figure: one for each group of runs, with a label."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qat.records.run_facts import FLOAT_BITS
from qat.records.schema import RunRecord
from qat.tables.apart import words_apart
from qat.tables.collect import Group, group_records, sort_groups
from qat.tables.columns import setting_text
from qat.tables.rows import values_by_seed
from qat.tables.shared import shared_settings, without_shared
from qat.tables.statistics import Statistic, statistic

PointSettings = Mapping[str, str | None]
NAMED = ("model", "data", "mode", "weight_bits", "act_bits", "method")
OTHER = "other"
"""What else tells two groups apart, as :func:`qat.tables.apart.words_apart` says it."""
APART = (
    *("weight_symmetry", "act_symmetry", "act_signed"),
    *("placement", "runtime", "rules", "ptq", OTHER),
)
CHOICE = ("allocator", "sensitivity", "budget")
ONLY_APART = ("calibration", "weight_granularity")
"""Settings that are shown only where nothing else distinguishes two points."""
POINT_SETTINGS = (*NAMED, *APART, *CHOICE, *ONLY_APART)
POINT_METRICS = (
    *("top1", "packed_bytes", "float_bytes", "weight_bytes", "bops"),
    *("latency_ms", "float_latency_ms"),
)
"""All metrics that figures draw."""


@dataclass(frozen=True, slots=True)
class FigurePoint:
    """One point: a group of runs that differ only in their seeds.

    Attributes:
        label: Such as ``w4a4-lsq qat``, with the settings that distinguish it from other points.
        series: All settings except the widths; a line joins the points of one series.
        network: Model and data set.
        weight_bits: Weight width of most layers; 32 is float.
        act_bits: Activation width of most layers; 32 is float.
        metrics: Statistics over seeds.
        is_mixed: True if an allocator chose the width of each layer.
        budget: Budget of the allocator as text; None without an allocator.
    """

    label: str
    series: str
    network: str
    weight_bits: int
    act_bits: int
    metrics: Mapping[str, Statistic]
    is_mixed: bool = False
    budget: str | None = None

    @property
    def is_float(self) -> bool:
        """True if nothing is quantized."""
        return self.weight_bits == FLOAT_BITS and self.act_bits == FLOAT_BITS


@dataclass(frozen=True, slots=True)
class Measured:
    """PointSettings and metrics of a group of runs, from which a point is made."""

    settings: PointSettings
    metrics: Mapping[str, Statistic]


def measured(records: Iterable[RunRecord]) -> list[Measured]:
    """PointSettings and metrics of all groups of finished runs, in the order of tables."""
    groups = sort_groups(group_records([r for r in records if r.status == "done"]))
    measurements = []
    for group, settings in zip(groups, _settings(groups), strict=True):
        numbers = {
            n: statistic([*values_by_seed(group.records, n).values()]) for n in POINT_METRICS
        }
        metrics = {name: value for name, value in numbers.items() if value is not None}
        measurements.append(Measured(settings, metrics))
    return measurements


def _settings(groups: Sequence[Group]) -> list[PointSettings]:
    """The settings of each group, which differ between any two."""
    shown = [
        {n: setting_text(g.records[0], n) for n in POINT_SETTINGS if n != OTHER} for g in groups
    ]
    alike: dict[tuple[str | None, ...], list[int]] = {}
    for index, settings in enumerate(shown):
        alike.setdefault(tuple(settings.values()), []).append(index)
    other: dict[int, str | None] = {}
    for places in alike.values():
        other |= zip(places, words_apart([groups[place] for place in places]), strict=True)
    return [settings | {OTHER: other[index]} for index, settings in enumerate(shown)]


def points_of(measurements: Sequence[Measured]) -> list[FigurePoint]:
    """The points; their labels contain only settings that differ between them."""
    return _points(measurements, shared_words(measurements))


def shared_words(measurements: Sequence[Measured]) -> dict[str, str]:
    """What :func:`points_of` leaves out of labels, since all quantized points share it.

    Empty if the points are one series.
    """
    quantized = [m for m in measurements if m.settings["mode"] != "float"]
    several = len({point.series for point in _points(quantized, {})}) > 1
    return shared_settings([m.settings for m in quantized]) if several else {}


def _points(measurements: Sequence[Measured], shared: PointSettings) -> list[FigurePoint]:
    all_settings = [measurement.settings for measurement in measurements]
    quantized = [settings for settings in all_settings if settings["mode"] != "float"]
    varying = [n for n in APART if len({s[n] for s in quantized} - {None}) > 1]
    for name in ("rules", "ptq", OTHER):
        if any((s[name] is None) != (quantized[0][name] is None) for s in quantized):
            varying += [name] if name not in varying else []
    varying += [name for name in ONLY_APART if _alone_distinguishes(name, quantized)]
    runtimes = len({settings["runtime"] for settings in all_settings} - {None}) > 1
    points = [_point(m, varying, runtimes, shared) for m in measurements]
    if _tells_apart(points):
        return points
    return [_point(m, varying, runtimes, shared, rule_widths=True) for m in measurements]


def _tells_apart(points: Sequence[FigurePoint]) -> bool:
    """Whether no two points have the same series and widths."""
    places = {(p.network, p.series, p.weight_bits, p.act_bits, p.budget) for p in points}
    return len(places) == len(points)


def _alone_distinguishes(name: str, settings: Sequence[PointSettings]) -> bool:
    """Whether two points differ in one of :data:`ONLY_APART`, and in none of the usual settings."""
    usual = (*NAMED, *APART, *CHOICE)
    values: dict[tuple[str | None, ...], set[str | None]] = {}
    for each in settings:
        values.setdefault(tuple(each[key] for key in usual), set()).add(each[name])
    return any(len(different) > 1 for different in values.values())


def _point(
    measurement: Measured,
    varying: Sequence[str],
    runtimes: bool,
    shared: PointSettings,
    rule_widths: bool = False,
) -> FigurePoint:
    settings = measurement.settings
    is_float = settings["mode"] == "float"
    own = settings if is_float else without_shared(settings, shared)
    differing = [w for name in varying if (w := _word(name, own[name])) and not is_float]
    if is_float and runtimes and settings["runtime"]:
        differing = [_word("runtime", settings["runtime"])]
    label = ", ".join([_label(own), *differing])
    kinds = [
        _rule_kinds(word) if word == settings["rules"] and not rule_widths else word
        for word in differing
    ]
    series = ", ".join(word for word in (_series(own), *kinds) if word) or _series(settings)
    weight, act = (int((settings[name] or "32").split("-")[0]) for name in NAMED[3:5])
    network = f"{settings['model']} on {settings['data']}"
    mixed = settings["mode"] == "mixed"
    metrics, budget = measurement.metrics, settings["budget"]
    return FigurePoint(label, series, network, weight, act, metrics, mixed, budget)


def _label(settings: PointSettings) -> str:
    """``w4a4-lsq qat``; for chosen widths, the allocator and its sensitivity metric."""
    if settings["mode"] == "float":
        return "float"
    if settings["allocator"]:
        return chosen_by(settings["allocator"], settings["sensitivity"])
    return f"{_widths(settings)} {settings['mode'] or ''}".rstrip()


def _widths(settings: PointSettings) -> str:
    method = (settings["method"] or "").replace("/", "-")
    words = f"w{settings['weight_bits']}a{settings['act_bits']}"
    return f"{words}-{method}" if method else words


def _rule_kinds(rules: str) -> str:
    """The patterns of rules, without the widths that they set.

    Example:
        >>> _rule_kinds("kind:first W4A4; kind:last W8A8")
        'kind:first and kind:last'
    """
    return " and ".join(rule.partition(" ")[0] for rule in rules.split("; "))


def _series(settings: PointSettings) -> str:
    if settings["mode"] == "float":
        return settings["method"] or "float"
    by = chosen_by(settings["allocator"], None) if settings["allocator"] else ""
    return " ".join(word for word in (settings["method"], settings["mode"], by) if word)


def chosen_by(allocator: str, sensitivity: str | None) -> str:
    """An allocator and its sensitivity metric, as text.

    Args:
        allocator: Name of the allocator.
        sensitivity: Name of its sensitivity metric; None if it uses none.

    Example:
        >>> chosen_by("ilp", "output_kl")
        'ILP by output KL'
    """
    shown = {"ilp": "ILP", "evolve": "evolution"}.get(allocator, allocator)
    if not sensitivity or sensitivity == allocator:
        return shown.replace("_", " ")
    words = sensitivity.replace("_", " ").replace(" kl", " KL").replace(" sqnr", " SQNR")
    return f"{shown} by {words}".replace("hessian", "Hessian").replace("fisher", "Fisher")


def _word(name: str, text: str | None) -> str:
    if text is None:
        return ""
    if name in ("weight_symmetry", "act_symmetry", "act_signed"):
        return f"{'W' if name.startswith('weight') else 'A'} {text}"
    if name == "runtime":  # without the suffix of the build
        return re.sub(r"(\d+\.\d+\.\d+)\S*", r"\1", text)
    return f"{text} placement" if name == "placement" else text
