"""The columns that a table may have: settings of a run, and metrics over its seeds."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qat.records.metrics import METRICS, MetricFormat
from qat.records.run_facts import RunFacts, SlotFacts, run_facts
from qat.records.schema import RunRecord
from qat.tables.errors import TableError

DOTTED = ("protocol", "environment")
SECONDS = "seconds."
_CONDITIONS = re.compile(r"(_b\d+)?(_t\d+)?$")  # batch size and threads of a measured time
STAGE = MetricFormat("seconds", "s", decimals=1, higher_is_better=False)
DEFAULT_METRICS = (
    "top1",
    "top1_drop",
    "packed_bytes",
    "compression",
    "bops",
    "latency_ms",
)
NETWORK = ("model", "data")
ALWAYS = ("run", "mode", "weight_bits", "act_bits", "method")
# Default columns that are shown only if the rows differ in them.
IF_VARYING = (
    "calibration",
    "weight_symmetry",
    "act_symmetry",
    "weight_granularity",
    "act_granularity",
    "placement",
    "runtime",
    "rules",
    "ptq",
    "allocator",
    "sensitivity",
    "budget",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Name of the setting or metric; the header in CSV.
        metric: Format of its numbers; None for a setting.
        header: Text at the top, with unit.
        of: Metric from which a derived column is computed; None for a column of its own.
        over: Upper header, which adjacent columns may share.
    """

    name: str
    metric: MetricFormat | None
    header: str
    of: str | None = None
    over: str = ""


# The effort that a mode requires from its user.
COMPLEXITY = {
    "float": "none",
    "dynamic": "low: no data",
    "static": "medium: some images",
    "qat": "high: training",
    "mixed": "high: search",
}


def _symmetry(slot: SlotFacts) -> str | None:
    if slot.symmetric is None:
        return None
    return "symmetric" if slot.symmetric else "asymmetric"


def _signs(slot: SlotFacts) -> str | None:
    if slot.signed is None:
        return None
    return "signed" if slot.signed else "unsigned"


SETTINGS: Mapping[str, tuple[str, Callable[[RunFacts], str | None]]] = {
    "run": ("run", lambda facts: facts.label),
    "model": ("model", lambda facts: facts.model),
    "data": ("data", lambda facts: facts.data),
    "mode": ("mode", lambda facts: facts.mode),
    "weight_bits": ("W [bit]", lambda facts: facts.weight.bits_text),
    "act_bits": ("A [bit]", lambda facts: facts.act.bits_text),
    "method": ("method", lambda facts: facts.method),
    "calibration": ("calibration", lambda facts: facts.calibration),
    "weight_symmetry": ("W symmetry", lambda facts: _symmetry(facts.weight)),
    "act_symmetry": ("A symmetry", lambda facts: _symmetry(facts.act)),
    "act_signed": ("A codes", lambda facts: _signs(facts.act)),
    "weight_granularity": ("W per", lambda facts: facts.weight.granularity),
    "act_granularity": ("A per", lambda facts: facts.act.granularity),
    "placement": ("placement", lambda facts: facts.placement),
    "runtime": ("runtime", lambda facts: facts.runtime),
    "rules": ("rules", lambda facts: facts.rules),
    "ptq": ("post-training steps", lambda facts: facts.ptq),
    "allocator": ("widths by", lambda facts: facts.allocator),
    "sensitivity": ("sensitivity", lambda facts: facts.sensitivity),
    "budget": ("budget", lambda facts: facts.budget),
    "complexity": ("complexity", lambda facts: COMPLEXITY.get(facts.mode)),
    "seed": ("seed", lambda facts: str(facts.seed)),
}


def setting_text(record: RunRecord, name: str) -> str | None:
    """The value of a setting in a record, as text; None if the record has none.

    Args:
        record: Record of one run.
        name: Of :data:`SETTINGS`, ``id``, ``study``, or a path such as
            ``protocol.training.max_epochs``.

    Example:
        >>> run = RunRecord(id="a1", status="done", mode="qat", seed=3)
        >>> setting_text(run, "seed"), setting_text(run, "protocol.training.max_epochs")
        ('3', None)
    """
    if name in SETTINGS:
        return SETTINGS[name][1](run_facts(record))
    if name in ("id", "study"):
        value: Any = getattr(record, name)
    else:
        value = _at_path(record, name)
    return None if value is None else str(value)


def metric_value(record: RunRecord, name: str) -> float | None:
    """The value of a metric in a record; None if the record has none.

    Args:
        record: Record of one run.
        name: Name of a metric, or ``seconds.`` and a stage (``seconds.training``).
    """
    if name.startswith(SECONDS):
        return record.seconds.get(name.removeprefix(SECONDS))
    return record.metrics.get(name)


def make_column(name: str, records: Iterable[RunRecord]) -> Column:
    """The column with a given name.

    Args:
        name: Setting, metric, ``seconds.STAGE``, or a path below ``protocol`` or ``environment``.
        records: Runs of the table; metrics of these are columns too, listed in ``METRICS`` or not.

    Raises:
        TableError: If the name is unknown; the message has the nearest names.

    Example:
        >>> make_column("packed_bytes", []).header
        'packed size [KiB]'
    """
    known = _metrics_of(records)
    if name in SETTINGS:
        return Column(name, None, SETTINGS[name][0])
    if name.startswith(SECONDS):
        return Column(name, STAGE, f"{name.removeprefix(SECONDS).replace('_', ' ')} [s]")
    if name in ("id", "study") or name.partition(".")[0] in DOTTED:
        return Column(name, None, name.removeprefix("protocol."))
    if name in known or _CONDITIONS.sub("", name) in METRICS:
        metric = METRICS.get(name, MetricFormat(name, decimals=4))
        return Column(
            name, metric, f"{metric.label} [{metric.unit}]" if metric.unit else metric.label
        )
    choices = dict.fromkeys([*SETTINGS, *METRICS, *known, "id", "study"])
    near = difflib.get_close_matches(name, choices) or list(choices)
    raise TableError(
        f"no column {name!r}; nearest: {', '.join(near)}; "
        "or a path like protocol.training.max_epochs"
    )


def default_columns(records: Sequence[RunRecord]) -> list[str]:
    """The default columns: fixed settings, settings that differ, metrics that were measured."""
    front = differing_networks(records, ())
    varying = [name for name in IF_VARYING if _varies(name, records)]
    known = _metrics_of(records)
    return [*front, *ALWAYS, *varying, *(name for name in DEFAULT_METRICS if name in known)]


def differing_networks(records: Iterable[RunRecord], shown: Iterable[str]) -> list[str]:
    """Those of ``model`` and ``data`` that differ between records and have no column yet.

    A table with rows of several networks or data sets always shows which row has which.

    Args:
        records: Runs of the table.
        shown: Names of columns that the table has already.
    """
    runs = list(records)
    return [name for name in NETWORK if name not in shown and _varies(name, runs)]


def _varies(name: str, records: Iterable[RunRecord]) -> bool:
    return len({setting_text(record, name) for record in records} - {None}) > 1


def _metrics_of(records: Iterable[RunRecord]) -> dict[str, None]:
    return {name: None for record in records for name in record.metrics}


def _at_path(record: RunRecord, path: str) -> Any:
    part, *keys = path.split(".")
    value: Any = getattr(record, part)
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
