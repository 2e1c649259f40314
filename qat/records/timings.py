"""How long past runs took, to estimate how long a sweep will take."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord

SHARED_STAGES = ("float", "float_evaluation")
"""Stages that many runs share through the cache; the next run may not need them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Runs that take about the same time.

    Attributes:
        mode: Of the run.
        model: Name of the network.
        data: Name of the data set.
        epochs: Of quantized training; 0 if there is none.
    """

    mode: str
    model: str | None
    data: str | None
    epochs: int = 0


@dataclass(frozen=True, slots=True)
class Timings:
    """Median seconds of past runs by kind, without the stages that runs share."""

    seconds: Mapping[Kind, float] = field(default_factory=dict)

    def expected(self, kinds: Iterable[Kind]) -> tuple[float, int]:
        """Sum of the seconds of such runs, and the number of runs without an estimate.

        Args:
            kinds: One for each run.
        """
        seconds = [self.seconds.get(kind) for kind in kinds]
        return sum(s for s in seconds if s is not None), seconds.count(None)


def kind_of(record: RunRecord) -> Kind:
    """The kind of a past run."""
    facts = run_facts(record)
    epochs = record.protocol.get("training", {}).get("max_epochs", 0)
    return Kind(record.mode, facts.model, facts.data, int(epochs))


def past_timings(records: Iterable[RunRecord]) -> Timings:
    """Medians over those of the records that are finished."""
    seconds: dict[Kind, list[float]] = {}
    for record in records:
        if record.status == "done":
            spent = (s for stage, s in record.seconds.items() if stage not in SHARED_STAGES)
            seconds.setdefault(kind_of(record), []).append(sum(spent))
    return Timings({kind: statistics.median(values) for kind, values in seconds.items()})
