"""Records to rows: runs that differ only in their seed share one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qat.records.run_facts import FLOAT_BITS, RunFacts, run_facts
from qat.records.schema import MODES, RunRecord, canonical_json
from qat.tables.columns import IF_VARYING, setting_text
from qat.tables.protocol import leaves, names_float_network

# Overrides that say where things go, not what is computed.
LAYOUT = ("seed=", "paths.", "tracking", "hydra", "study", "experiment")


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one row, by seed.

    Attributes:
        records: One or more records.
        apart: Why the row stands alone though its settings are another's; None normally.
    """

    records: tuple[RunRecord, ...]
    apart: str | None = None

    @property
    def facts(self) -> RunFacts:
        """Settings of the row (the seed is the first one's)."""
        return run_facts(self.records[0])


def group_records(records: Iterable[RunRecord], settings: Sequence[str] = ()) -> list[Group]:
    """Group records that agree in mode, plan, protocol and the given setting columns.

    Seeds are left out. So is which float network it was, but only where each run has a float
    network of its own seed. The same seed twice under one key means that something else differs:
    such runs are kept apart.
    """
    buckets = _buckets(records, lambda record: _key(record, settings))
    return [group for bucket in buckets for part in _by_float(bucket) for group in _unique(part)]


def sort_groups(groups: Iterable[Group]) -> list[Group]:
    """Data set by data set and model by model, each in one order.

    That is: float, uniform widths from wide to narrow, chosen widths by budget; then by mode and
    by the settings that rows may differ in.
    """
    found = list(groups)
    data = _first_seen(group.facts.data for group in found)
    models = _first_seen(group.facts.model for group in found)

    def place(group: Group) -> tuple[int, int, bool, bool, tuple[Any, ...]]:
        facts = group.facts
        is_float = facts.weight.bits == FLOAT_BITS and facts.act.bits == FLOAT_BITS
        block = data[facts.data], models[facts.model]
        return *block, not is_float, facts.mode == "mixed", _order_within(group.records[0], facts)

    return sorted(found, key=place)


def _order_within(record: RunRecord, facts: RunFacts) -> tuple[Any, ...]:
    """What rows of one network go by; widths only where they were not chosen layer by layer."""
    budgets = facts.allocation.get("budgets", {})
    widths = () if budgets else (-facts.weight.bits, -facts.act.bits)
    chosen = sorted((name, -value) for name, value in budgets.items())
    words = [setting_text(record, name) or "" for name in ("method", *IF_VARYING)]
    return chosen, widths, MODES.index(facts.mode), words


def _first_seen(values: Iterable[str | None]) -> dict[str | None, int]:
    return {value: place for place, value in enumerate(dict.fromkeys(values))}


def _key(record: RunRecord, settings: Sequence[str]) -> str:
    protocol = {
        path: value
        for path, value in leaves(record).items()
        if not path.endswith(".seed") and not names_float_network(path)
    }
    extra = [setting_text(record, name) for name in settings]
    return canonical_json([record.mode, record.plan, protocol, extra])


def _by_float(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    if all(record.protocol.get("float", {}).get("seed") == record.seed for record in records):
        return [list(records)]
    return _buckets(records, _float_network)


def _unique(records: Sequence[RunRecord]) -> list[Group]:
    if _one_a_seed(records):
        return [Group(tuple(records))]
    by_overrides = _buckets(records, _overrides)
    groups = []
    for part in by_overrides:
        words = f"overrides: {_overrides(part[0])}" if len(by_overrides) > 1 else None
        if _one_a_seed(part):
            groups.append(Group(tuple(part), words))
        else:
            groups += [Group((one,), f"run {one.id}, one of several of its seed") for one in part]
    return groups


def _one_a_seed(records: Sequence[RunRecord]) -> bool:
    return len({record.seed for record in records}) == len(records)


def _overrides(record: RunRecord) -> str:
    return " ".join(o for o in record.overrides if not o.lstrip("+~").startswith(LAYOUT)) or "none"


def _float_network(record: RunRecord) -> str:
    found = leaves(record)
    return canonical_json({path: found[path] for path in found if names_float_network(path)})


def _buckets(
    records: Iterable[RunRecord], key: Callable[[RunRecord], str]
) -> list[list[RunRecord]]:
    found: dict[str, list[RunRecord]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return list(found.values())
