"""From records to rows: runs that differ only in their seed share a row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qat.records.run_facts import RunFacts, run_facts
from qat.records.schema import MODES, RunRecord, canonical_json
from qat.tables.columns import IF_VARYING, setting_text
from qat.tables.protocol import leaves, names_float_network

# Overrides that do not change what is computed, only where files are written.
LAYOUT = ("seed=", "paths.", "tracking", "hydra", "study", "experiment")


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one row, by seed.

    Attributes:
        records: One or more records.
        separate_because: Why the runs have a row of their own although another row has the same
            settings; None normally.
    """

    records: tuple[RunRecord, ...]
    separate_because: str | None = None

    @property
    def facts(self) -> RunFacts:
        """Settings of the row; the seed is that of the first run."""
        return run_facts(self.records[0])


def group_records(records: Iterable[RunRecord], settings: Sequence[str] = ()) -> list[Group]:
    """Group records that have the same mode, plan, protocol and settings.

    Seeds may differ within a group, and so may the widths that an allocator chose for each seed.
    The float network may differ only if every run has a float
    network of its own seed. If a group contains a seed twice, something unknown differs: these
    runs get separate groups.

    Args:
        records: Records of finished runs.
        settings: More settings that must be equal within a group, such as ``seed``.

    Example:
        >>> runs = [RunRecord(id=f"r{s}", status="done", mode="qat", seed=s) for s in (0, 1)]
        >>> len(group_records(runs)), len(group_records(runs, ["seed"]))
        (1, 2)
    """
    buckets = _buckets(records, lambda record: _key(record, settings))
    return [group for bucket in buckets for part in _by_float(bucket) for group in _unique(part)]


def sort_groups(groups: Iterable[Group]) -> list[Group]:
    """Groups in the order of a table: by data set, then by model, then by widths.

    Within one network: float, uniform widths from wide to narrow, chosen widths by budget; then
    by mode, method and the settings that may differ.
    """
    unsorted = list(groups)
    data = _first_seen(group.facts.data for group in unsorted)
    models = _first_seen(group.facts.model for group in unsorted)

    def place(group: Group) -> tuple[int, int, bool, bool, tuple[Any, ...]]:
        facts = group.facts
        block = data[facts.data], models[facts.model]
        return (
            *block,
            not facts.is_float,
            facts.mode == "mixed",
            _order_within(group.records[0], facts),
        )

    return sorted(unsorted, key=place)


def _order_within(record: RunRecord, facts: RunFacts) -> tuple[Any, ...]:
    """Sort key within one network; widths count only if no allocator chose them for each layer."""
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
    return canonical_json([record.mode, _given_plan(record), protocol, extra])


def _given_plan(record: RunRecord) -> Any:
    """The plan without the widths that an allocator chose: they are a result of the run."""
    if record.mode != "mixed" or record.plan is None:
        return record.plan
    layers = {
        name: {part: _without_bits(spec) for part, spec in layer.items()}
        for name, layer in record.plan.get("layers", {}).items()
    }
    return {**record.plan, "layers": layers}


def _without_bits(spec: Any) -> Any:
    return {k: v for k, v in spec.items() if k != "bits"} if isinstance(spec, Mapping) else spec


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
            groups += [Group((one,), f"run {one.id}, one of several with its seed") for one in part]
    return groups


def _one_a_seed(records: Sequence[RunRecord]) -> bool:
    return len({record.seed for record in records}) == len(records)


def _overrides(record: RunRecord) -> str:
    return " ".join(o for o in record.overrides if not o.lstrip("+~").startswith(LAYOUT)) or "none"


def _float_network(record: RunRecord) -> str:
    values = leaves(record)
    return canonical_json({path: values[path] for path in values if names_float_network(path)})


def _buckets(
    records: Iterable[RunRecord], key: Callable[[RunRecord], str]
) -> list[list[RunRecord]]:
    members: dict[str, list[RunRecord]] = {}
    for record in records:
        members.setdefault(key(record), []).append(record)
    return list(members.values())
