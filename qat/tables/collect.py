"""Records to rows: runs that differ only in their seed share one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from qat.records.facts import FLOAT_BITS, RunFacts, run_facts
from qat.records.schema import RunRecord, canonical_json
from qat.tables.columns import setting_text
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
    """Float first, then wide to narrow, within one model and data set; otherwise as they came."""
    found = list(groups)
    order: dict[tuple[str | None, str | None], int] = {}
    for group in found:
        order.setdefault((group.facts.data, group.facts.model), len(order))

    def place(group: Group) -> tuple[int, bool, int, int]:
        facts = group.facts
        is_float = facts.weight.bits == FLOAT_BITS and facts.act.bits == FLOAT_BITS
        block = order[facts.data, facts.model]
        return block, not is_float, -facts.weight.bits, -facts.act.bits

    return sorted(found, key=place)


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
