r"""Published drops of accuracy beside measured ones, each with a word that is computed.

    drop_i   = float top-1 - top-1                         of the run with seed i
    interval = mean(drop) ± t(0.975, n - 1) * std(drop) / sqrt(n)
    published drop = published float top-1 - published top-1

``reproduced``: the published drop lies inside the 95 % interval (Student 1908). ``not reached
here``: it does not. ``not comparable``: a condition of the published number differs from the run
(epochs, float network, first and last layer), which is named, or there are fewer than two seeds.
Drops are compared, not levels, since float networks differ.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qat.records.schema import RunRecord
from qat.tables.collect import group_records, sort_groups
from qat.tables.columns import setting_text
from qat.tables.paired import CONFIDENCE
from qat.tables.published import Published
from qat.tables.statistics import statistic

FLOAT_TOLERANCE = 0.005
"""Float networks whose top-1 differs by no more count as alike: half a point."""
PATHS = {"epochs": "protocol.training.max_epochs", "first_last": "protocol.evaluation.first_last"}
REPRODUCED, NOT_REACHED, NOT_COMPARABLE = "reproduced", "not reached here", "not comparable"


@dataclass(frozen=True, slots=True)
class Replication:
    """A published number and the runs with its settings.

    Attributes:
        published: The published number, a ``top1`` with ``float_top1`` among its conditions.
        drop: Published drop, a fraction.
        mean: Mean of the measured drops.
        low: Lower end of their 95 % interval; None for one run.
        high: Upper end.
        n: Number of seeds.
        verdict: ``reproduced``, ``not reached here`` or ``not comparable``.
        differs: What makes it not comparable; empty otherwise.
    """

    published: Published
    drop: float
    mean: float
    low: float | None
    high: float | None
    n: int
    verdict: str
    differs: str


def replications(records: Iterable[RunRecord], published: Sequence[Published]) -> list[Replication]:
    """Each published number that has a drop, with each group of runs of its settings.

    Args:
        records: Finished runs; others are left out.
        published: Numbers from papers.
    """
    groups = sort_groups(group_records([r for r in records if r.status == "done"]))
    return [
        replication
        for one in published
        if one.metric == "top1" and "float_top1" in one.conditions
        for group in groups
        if _is_of(one, group.records[0])
        for replication in _replication(one, group.records)
    ]


def replication_markdown(rows: Sequence[Replication]) -> str:
    """The table in markdown, with a line of sources for each."""
    lines = [
        "| method | mode | W | A | published drop [points] | measured drop [points] | n | word |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        of = row.published.settings
        word = f"{row.verdict}: {row.differs}" if row.differs else row.verdict
        cells = [of.get(name, "") for name in ("method", "mode", "weight_bits", "act_bits")]
        cells += [f"{100 * row.drop:.2f} ({row.published.source})", _measured(row), str(row.n)]
        lines.append("| " + " | ".join([*cells, word]) + " |")
    return "\n".join(lines) + "\n"


def _is_of(one: Published, record: RunRecord) -> bool:
    return all(setting_text(record, name) == text for name, text in one.settings.items())


def _replication(one: Published, records: Sequence[RunRecord]) -> Iterator[Replication]:
    drops = [r.metrics["top1_drop"] for r in records if "top1_drop" in r.metrics]
    measured = statistic(drops)
    if measured is None:
        return
    half = _half_width(measured.std, measured.n)
    low = None if half is None else measured.mean - half
    high = None if half is None else measured.mean + half
    drop = one.conditions["float_top1"] - one.value  # type: ignore[operator]
    differs = "; ".join(_differences(one, records[0], measured.n))
    if differs or low is None or high is None:
        verdict = NOT_COMPARABLE
    else:
        verdict = REPRODUCED if low <= drop <= high else NOT_REACHED
    yield Replication(one, drop, measured.mean, low, high, measured.n, verdict, differs)


def _half_width(std: float | None, n: int) -> float | None:
    if std is None:
        return None
    from scipy.stats import t  # takes long to import

    return float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std / math.sqrt(n)


def _differences(one: Published, record: RunRecord, n: int) -> Iterator[str]:
    for name, value in one.conditions.items():
        if name == "float_top1":
            own = record.metrics.get("float_top1", math.nan)
            if not abs(own - float(value)) <= FLOAT_TOLERANCE:
                yield f"float top-1 {100 * own:.2f} here, {100 * float(value):.2f} there"
        elif (text := setting_text(record, PATHS[name]) or "none") != value:
            yield f"{name.replace('_', '/')} {text} here, {value} there"
    if n < 2:
        yield "one seed"


def _measured(row: Replication) -> str:
    mean = f"{100 * row.mean:.2f}"
    if row.low is None or row.high is None:
        return mean
    return f"{mean} [{100 * row.low:.2f}, {100 * row.high:.2f}]"
