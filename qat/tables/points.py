"""Records to the points of a figure: one a setting, over its seeds, named in words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qat.records.run_facts import FLOAT_BITS
from qat.records.schema import RunRecord
from qat.tables.collect import group_records, sort_groups
from qat.tables.columns import setting_text
from qat.tables.rows import values_by_seed
from qat.tables.statistics import Statistic, statistic

Settings = Mapping[str, str | None]
NAMED = ("model", "data", "mode", "weight_bits", "act_bits", "method")
APART = ("weight_symmetry", "act_symmetry", "act_signed", "placement", "runtime", "rules")
CHOICE = ("allocator", "sensitivity", "budget")
POINT_SETTINGS = (*NAMED, *APART, *CHOICE)
POINT_METRICS = (
    *("top1", "packed_bytes", "float_bytes", "weight_bytes", "bops"),
    *("latency_ms", "float_latency_ms"),
)
"""All that figures draw."""


@dataclass(frozen=True, slots=True)
class FigurePoint:
    """One setting.

    Attributes:
        label: ``w4a4-lsq qat``, with whatever tells it from the others.
        series: What a line may join: all but the widths.
        network: Model and data set.
        weight_bits: Of most layers; 32 is float.
        act_bits: Likewise.
        metrics: Statistics over seeds.
        is_mixed: True if widths were chosen layer by layer.
        budget: Of the choice, in words; None where nothing was chosen.
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
    """A setting by its columns, and its metrics: what a point is made from."""

    settings: Settings
    metrics: Mapping[str, Statistic]


def measured(records: Iterable[RunRecord]) -> list[Measured]:
    """The settings of all finished runs, in the order of tables."""
    found = []
    for group in sort_groups(group_records([r for r in records if r.status == "done"])):
        first = group.records[0]
        numbers = {
            n: statistic([*values_by_seed(group.records, n).values()]) for n in POINT_METRICS
        }
        found.append(
            Measured(
                {name: setting_text(first, name) for name in POINT_SETTINGS},
                {name: value for name, value in numbers.items() if value is not None},
            )
        )
    return found


def points_of(found: Sequence[Measured]) -> list[FigurePoint]:
    """The points, named by what varies among them."""
    quantized = [one.settings for one in found if one.settings["mode"] != "float"]
    varying = [n for n in APART if len({s[n] for s in quantized} - {None}) > 1]
    if any((s["rules"] is None) != (quantized[0]["rules"] is None) for s in quantized):
        varying += ["rules"] if "rules" not in varying else []
    runtimes = len({one.settings["runtime"] for one in found} - {None}) > 1
    return [_point(one, varying, runtimes) for one in found]


def _point(one: Measured, varying: Sequence[str], runtimes: bool) -> FigurePoint:
    settings = one.settings
    is_float = settings["mode"] == "float"
    apart = [w for name in varying if (w := _word(name, settings[name])) and not is_float]
    if is_float and runtimes and settings["runtime"]:
        apart = [_word("runtime", settings["runtime"])]
    label = ", ".join([_label(settings), *apart])
    alike = [_rule_kinds(word) if word == settings["rules"] else word for word in apart]
    series = ", ".join([_series(settings), *alike])
    weight, act = (int((settings[name] or "32").split("-")[0]) for name in NAMED[3:5])
    network = f"{settings['model']} on {settings['data']}"
    mixed = settings["mode"] == "mixed"
    return FigurePoint(label, series, network, weight, act, one.metrics, mixed, settings["budget"])


def _label(settings: Settings) -> str:
    """``w4a4-lsq qat``; of chosen widths, by whom and from what."""
    if settings["mode"] == "float":
        return "float"
    if settings["allocator"]:
        return chosen_by(settings["allocator"], settings["sensitivity"])
    return f"{_widths(settings)} {settings['mode']}"


def _widths(settings: Settings) -> str:
    method = (settings["method"] or "").replace("/", "-")
    words = f"w{settings['weight_bits']}a{settings['act_bits']}"
    return f"{words}-{method}" if method else words


def _rule_kinds(rules: str) -> str:
    """What rules are about, without the widths that they give.

    Example:
        >>> _rule_kinds("kind:first W4A4; kind:last W8A8")
        'kind:first and kind:last'
    """
    return " and ".join(rule.partition(" ")[0] for rule in rules.split("; "))


def _series(settings: Settings) -> str:
    mode = "" if settings["mode"] == "float" else f"{settings['mode']}"
    by = chosen_by(settings["allocator"], None) if settings["allocator"] else ""
    method = settings["method"] or ("float" if not mode else "")
    return " ".join(word for word in (method, mode, by) if word)


def chosen_by(allocator: str, sensitivity: str | None) -> str:
    """An allocator and what it went by, in words.

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
    if name == "runtime":  # a build's own suffix says nothing to a reader
        return re.sub(r"(\d+\.\d+\.\d+)\S*", r"\1", text)
    return f"{text} placement" if name == "placement" else text
