"""The settings of runs for TensorBoard's HPARAMS tab: typed columns, one row for each run.

Built on ``tensorboard.plugins.hparams.summary_v2``, which needs no TensorFlow. Every run has
the same description of the columns, so that the tab is correct for one run and for all runs.
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
from qat.tracking.tags import BEST, LAST

FINAL = "final"
"""Tag group of the metrics of a record: ``final/top1``."""

HparamValue = bool | int | float | str
"""Value of one setting of a run."""


class AnyText(Domain):
    """Text without a list of choices: names that users may add, and integers.

    TensorBoard has no integer type and would show a float as 4.0000.
    """

    @property
    def dtype(self) -> type:
        """``str``."""
        return str

    def sample_uniform(self, rng: Any = None) -> Any:
        """Always raise, because there are no values to sample from.

        Raises:
            IndexError: In every call, as TensorBoard's own empty domains do.
        """
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
"""Names of the most important columns: they sort before all others; the tab first shows five."""
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


def hparam_values(record: RunRecord) -> dict[str, HparamValue]:
    """Settings of a run by name; a setting that it lacks (symmetry of a float run) is absent."""
    facts = run_facts(record)
    values: dict[str, HparamValue | None] = {
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

    The order of metrics is: ``FIRST_METRICS``, best and last validation accuracy, all others of the
    record (test set).

    Args:
        choices: Setting → known names of its values (tick boxes in the tab).
        records: The runs that are shown; columns without a value in any run are left out. None
            gives all columns.

    Raises:
        KeyError: If ``choices`` has an unknown setting.
    """
    domains = dict(DOMAINS)
    for name, values in (choices or {}).items():
        if name not in domains:
            raise UnknownNameError(f"no setting {name!r} to choose; there are {', '.join(domains)}")
        domains[name] = Discrete(sorted(set(values)), dtype=str)
    if records is not None:
        values_by_name = _used_values(records)
        domains = {name: domain for name, domain in domains.items() if name in values_by_name}
        for name, used in values_by_name.items():
            if isinstance(domains[name], Discrete):
                domains[name] = Discrete(sorted(used), dtype=domains[name].dtype)
    return hparams_config_pb(
        hparams=[HParam(SHOWN_AS.get(name, name), domain) for name, domain in domains.items()],
        metrics=_metrics(records),
        time_created_secs=0,  # the same for every run, as all other fields
    )


def _used_values(records: Sequence[RunRecord]) -> dict[str, set[HparamValue]]:
    """Setting → its values in the runs."""
    used: dict[str, set[HparamValue]] = {}
    for record in records:
        for name, value in hparam_values(record).items():
            used.setdefault(name, set()).add(value)
    return used


def _metrics(records: Sequence[RunRecord] | None) -> list[Metric]:
    first: tuple[str, ...] = FIRST_METRICS
    others = tuple(name for name in METRICS if name not in FIRST_METRICS)
    validated = True
    if records is not None:
        known = {name for record in records for name in record.metrics}
        first = tuple(name for name in first if name in known)
        others = tuple(name for name in others if name in known)
        others += tuple(sorted(known - METRICS.keys()))  # latency_ms_b64
        validated = any("training" in record.protocol for record in records)
    best = Metric(BEST, display_name="best val_top1", description="best validation top-1")
    last = Metric(LAST, display_name="last val_top1", description="validation top-1 at the end")
    trained = [best, last] if validated else []
    return [*map(_metric, first), *trained, *map(_metric, others)]


def _metric(name: str) -> Metric:
    words = METRICS[name].label if name in METRICS else name
    return Metric(f"{FINAL}/{name}", display_name=name, description=words)


def session_summary(record: RunRecord) -> Summary:
    """The row of one run; its name has the settings and, to be unique, the id."""
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


def _slot_values(name: str, slot: SlotFacts) -> dict[str, HparamValue | None]:
    return {
        f"{name}_bits": slot.bits,
        f"{name}_symmetric": slot.symmetric,
        f"{name}_granularity": slot.granularity,
        f"{name}_quantizer": slot.quantizer,
        f"{name}_calibration": slot.observer,
    }
