"""Records to the points of a figure: one a setting, over its seeds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qat.records.facts import FLOAT_BITS, RunFacts
from qat.records.schema import RunRecord
from qat.tables.collect import group_records, sort_groups
from qat.tables.rows import values_by_seed
from qat.tables.statistics import Statistic, statistic


@dataclass(frozen=True, slots=True)
class Point:
    """One setting.

    Attributes:
        label: ``w4a4-lsq qat``.
        series: What a line joins: method and mode, and of the grids what differs among the points.
        network: Model and data set.
        weight_bits: Of most layers; 32 is float.
        act_bits: Likewise.
        metrics: Statistics over seeds.
        is_mixed: True if widths were chosen layer by layer.
    """

    label: str
    series: str
    network: str
    weight_bits: int
    act_bits: int
    metrics: Mapping[str, Statistic]
    is_mixed: bool = False

    @property
    def is_float(self) -> bool:
        """True if nothing is quantized."""
        return self.weight_bits == FLOAT_BITS and self.act_bits == FLOAT_BITS


def points_of(records: Iterable[RunRecord]) -> list[Point]:
    """The points of all finished runs, float first, then wide to narrow."""
    groups = sort_groups(group_records([r for r in records if r.status == "done"]))
    grids = {id(group): _grid_words(group.facts) for group in groups}
    varying = {
        key
        for key in {key for words in grids.values() for key in words}
        if len({words[key] for words in grids.values() if key in words}) > 1
    }
    points = []
    for group in groups:
        facts = group.facts
        names = dict.fromkeys(name for record in group.records for name in record.metrics)
        found = {n: statistic([*values_by_seed(group.records, n).values()]) for n in names}
        mode = "" if facts.mode == "float" else f" {facts.mode}"
        points.append(
            Point(
                label=_label(facts),
                series=", ".join(
                    [
                        f"{facts.method or 'float'}{mode}{_chosen_by(facts)}",
                        *(word for key, word in grids[id(group)].items() if key in varying),
                    ]
                ),
                network=f"{facts.model} on {facts.data}",
                weight_bits=facts.weight.bits,
                act_bits=facts.act.bits,
                metrics={name: value for name, value in found.items() if value is not None},
                is_mixed=facts.mode == "mixed",
            )
        )
    return points


def _label(facts: RunFacts) -> str:
    """``w4a4-lsq qat``; of chosen widths, by whom, from what, within which budget."""
    if facts.mode == "float":
        return facts.label
    if facts.allocator:
        sensitivity = "" if facts.sensitivity == facts.allocator else f" {facts.sensitivity}"
        budget = (facts.budget or "").removeprefix("uniform_bits ")
        return f"{facts.allocator}{sensitivity}, {budget}"
    return f"{facts.label} {facts.mode}"


def _chosen_by(facts: RunFacts) -> str:
    return f" by {facts.allocator}" if facts.allocator else ""


def _grid_words(facts: RunFacts) -> dict[str, str]:
    """What the grids of weights and inputs are like, of those that are quantized."""
    words = {}
    for slot, letter in ((facts.weight, "W"), (facts.act, "A")):
        if slot.symmetric is not None:
            symmetry = "symmetric" if slot.symmetric else "asymmetric"
            words[f"{letter} symmetry"] = f"{letter} {symmetry}"
        if slot.signed is not None:
            words[f"{letter} sign"] = "signed" if slot.signed else "unsigned"
    return words
