"""A run's settings as TensorBoard's HPARAMS tab wants them: typed, and one row a run.

Built on ``tensorboard.plugins.hparams.summary_v2``, which needs no TensorFlow. Every run carries
the same description of the columns, so that the tab is right over one run's folder and over all.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    Metric,
    hparams_config_pb,
    hparams_pb,
)

from qat.base.errors import UnknownNameError
from qat.records.metrics import METRICS
from qat.records.run_facts import SlotFacts, run_facts
from qat.records.schema import MODES, RunRecord
from qat.tracking.validation import BEST, LAST

FINAL = "final"
"""Tag group of the metrics a record holds: ``final/top1``."""

Value = bool | int | float | str


class AnyText(Domain):
    """Text without a list of choices: names a user may add to, and whole numbers.

    A number of type float would be shown as 4.0000, and TensorBoard has no whole ones.
    """

    @property
    def dtype(self) -> type:
        """``str``."""
        return str

    def sample_uniform(self, rng: Any = None) -> Any:
        """Refuse: there is nothing to choose from."""
        raise IndexError("an open domain has no values to sample")

    def update_hparam_info(self, hparam_info: Any) -> None:
        """Set the type and leave the domain open."""
        hparam_info.type = api_pb2.DATA_TYPE_STRING


SHOWN_AS = {
    "weight_bits": "1 W bits",
    "act_bits": "2 A bits",
    "mode": "3 mode",
    "weight_quantizer": "4 W method",
    "seed": "5 seed",
}
"""What a reader asks first; the names sort before all others, and the tab opens on five."""
FIRST_METRICS = ("top1", "packed_bytes", "bops", "latency_ms")
SWITCH = Discrete([False, True], dtype=bool)
GRANULARITY = Discrete(["tensor", "channel", "group"], dtype=str)

DOMAINS: Mapping[str, Domain] = {
    "weight_bits": AnyText(),
    "act_bits": AnyText(),
    "mode": Discrete(list(MODES), dtype=str),
    "run": AnyText(),
    "model": AnyText(),
    "data": AnyText(),
    "weight_symmetric": SWITCH,
    "act_symmetric": SWITCH,
    "weight_granularity": GRANULARITY,
    "act_granularity": GRANULARITY,
    "weight_quantizer": AnyText(),
    "act_quantizer": AnyText(),
    "weight_calibration": AnyText(),
    "act_calibration": AnyText(),
    "placement": AnyText(),
    "seed": AnyText(),
}


def hparam_values(record: RunRecord) -> dict[str, Value]:
    """A run's settings by name; those it does not have (symmetry of a float run) are absent."""
    facts = run_facts(record)
    values: dict[str, Value | None] = {
        "run": facts.label,
        "model": facts.model,
        "data": facts.data,
        "mode": facts.mode,
        "placement": facts.placement,
        "seed": facts.seed,
        **_slot_values("weight", facts.weight),
        **_slot_values("act", facts.act),
    }
    return {name: value for name, value in values.items() if value is not None}


def config_summary(
    choices: Mapping[str, Sequence[str]] | None = None,
    records: Sequence[RunRecord] | None = None,
) -> Summary:
    """The columns: each setting with its type, and the metrics.

    Those that are asked first come first, then best and last validation accuracy, then the others
    of the record, which are of the test set.

    Args:
        choices: Setting → names to choose from, where they are known (tick boxes in the tab).
        records: The runs that are shown, so that no column is empty; None for every column that
            there may be.

    Raises:
        KeyError: If a choice is of no known setting.
    """
    domains = dict(DOMAINS)
    for name, values in (choices or {}).items():
        if name not in domains:
            raise UnknownNameError(f"no setting {name!r} to choose; there are {', '.join(domains)}")
        domains[name] = Discrete(sorted(set(values)), dtype=str)
    if records is not None:
        found = _used(records)
        domains = {name: domain for name, domain in domains.items() if name in found}
        for name, used in found.items():
            if isinstance(domains[name], Discrete):
                domains[name] = Discrete(sorted(used), dtype=domains[name].dtype)
    return hparams_config_pb(
        hparams=[HParam(SHOWN_AS.get(name, name), domain) for name, domain in domains.items()],
        metrics=_metrics(records),
        time_created_secs=0,  # the same for every run, as the rest of it
    )


def _used(records: Sequence[RunRecord]) -> dict[str, set[Value]]:
    """Setting → its values among the runs."""
    used: dict[str, set[Value]] = {}
    for record in records:
        for name, value in hparam_values(record).items():
            used.setdefault(name, set()).add(value)
    return used


def _metrics(records: Sequence[RunRecord] | None) -> list[Metric]:
    first: tuple[str, ...] = FIRST_METRICS
    rest = tuple(name for name in METRICS if name not in FIRST_METRICS)
    validated = True
    if records is not None:
        known = {name for record in records for name in record.metrics}
        first = tuple(name for name in first if name in known)
        rest = tuple(name for name in rest if name in known)
        rest += tuple(sorted(known - METRICS.keys()))  # latency_ms_b64
        validated = any("training" in record.protocol for record in records)
    best = Metric(BEST, display_name="best val_top1", description="best validation top-1")
    last = Metric(LAST, display_name="last val_top1", description="validation top-1 at the end")
    trained = [best, last] if validated else []
    return [*map(_metric, first), *trained, *map(_metric, rest)]


def _metric(name: str) -> Metric:
    words = METRICS[name].label if name in METRICS else name
    return Metric(f"{FINAL}/{name}", display_name=name, description=words)


def session_summary(record: RunRecord) -> Summary:
    """The row of one run, named by its settings and, to be unique, its id."""
    name = f"{run_facts(record).run_name} {record.id}"
    values = hparam_values(record)
    facts = run_facts(record)
    values |= {
        "weight_bits": facts.weight.bits_text,
        "act_bits": facts.act.bits_text,
        "seed": str(facts.seed),
    }
    shown = {SHOWN_AS.get(key, key): value for key, value in values.items()}
    return hparams_pb(shown, trial_id=name)


def session_end_summary(record: RunRecord) -> Summary:
    """How the run ended, for the tab's status column."""
    status = {"done": api_pb2.STATUS_SUCCESS, "failed": api_pb2.STATUS_FAILURE}
    end = plugin_data_pb2.SessionEndInfo(
        status=status.get(record.status, api_pb2.STATUS_UNKNOWN), end_time_secs=time.time()
    )
    summary = Summary()
    summary.value.add(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(
            plugin_data_pb2.HParamsPluginData(session_end_info=end)
        ),
        tensor=metadata.NULL_TENSOR,
    )
    return summary


def _slot_values(name: str, slot: SlotFacts) -> dict[str, Value | None]:
    return {
        f"{name}_bits": slot.bits,
        f"{name}_symmetric": slot.symmetric,
        f"{name}_granularity": slot.granularity,
        f"{name}_quantizer": slot.quantizer,
        f"{name}_calibration": slot.observer,
    }
