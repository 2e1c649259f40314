"""The layout of a table as data: flat rows, or a pivot as in papers.

The named layouts follow the tables of well-known papers:

    pact      method x bits, one accuracy a cell        Choi et al. 2018, arXiv:1805.06085
    hawq      model x scheme: size, BOPs, accuracy, latency   Dong et al. 2020, arXiv:1911.03852
    nvidia    calibration x bits                        Wu et al. 2020, arXiv:2004.09602
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from qat.tables.errors import TableError

KINDS = ("flat", "pivot")


@dataclass(frozen=True, slots=True)
class TableSpec:
    """Layout and content of a table.

    Attributes:
        layout: ``flat``: one row for each group of runs; ``pivot``: settings head rows and
            columns.
        columns: Flat: settings and metrics, None for the default columns. Pivot: settings whose
            values head the columns.
        rows: Pivot: settings whose values head the rows.
        values: Pivot: metrics of a cell.
        group: More settings whose values get separate rows.
        axes: Parts of the protocol that differ on purpose.
        only: Setting → value, or values, of the runs to show.
        baseline: Setting → value of the row with which the others are compared, seed by seed; it
            must select one row of each block of ``within``.
        compare: Flat: metrics with an extra column for the paired difference to the baseline.
        bold: Metrics in which the best result, and all results that are statistically
            indistinguishable from it, are set bold.
        within: Settings that must be equal for rows to be compared, for bold and with the
            baseline; a pivot compares only within a column.

    Raises:
        TableError: If the layout is unknown, or a field is missing or belongs to the other layout.

    Example:
        >>> TableSpec(columns=("method", "top1"), bold=("top1",)).within
        ('data', 'model')
    """

    layout: str = "flat"
    columns: tuple[str, ...] | None = None
    rows: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baseline: Mapping[str, str] = field(default_factory=dict)
    compare: tuple[str, ...] = ()
    bold: tuple[str, ...] = ()
    within: tuple[str, ...] = ("data", "model")

    def __post_init__(self) -> None:
        """Check that the fields fit the layout."""
        if self.layout not in KINDS:
            raise TableError(f"layout must be flat or pivot, got {self.layout!r}")
        if self.layout == "pivot" and not (self.rows and self.columns and self.values):
            raise TableError("a pivot needs rows, columns (settings) and values (metrics)")
        if self.layout == "flat" and (self.rows or self.values):
            raise TableError("rows and values belong to layout=pivot; a flat table has columns")
        if bool(self.baseline) != bool(self.compare):
            raise TableError("baseline (settings) and compare (metrics) go together")
        if self.layout == "pivot" and self.compare:
            raise TableError("compare belongs to layout=flat; a pivot sets the best bold")


PACT = TableSpec(
    layout="pivot",
    rows=("model", "method", "mode"),
    columns=("weight_bits", "act_bits"),
    values=("top1",),
    bold=("top1",),
)
HAWQ = TableSpec(
    columns=(
        *("model", "run", "mode", "weight_bits", "act_bits"),
        *("packed_bytes", "compression", "bops", "top1", "top1_drop", "latency_ms"),
    )
)
NVIDIA = TableSpec(
    layout="pivot",
    rows=("model", "calibration"),
    columns=("weight_bits", "act_bits"),
    values=("top1",),
    bold=("top1",),
)
LAYOUTS: Mapping[str, TableSpec] = {
    "flat": TableSpec(),
    "pact": PACT,
    "hawq": HAWQ,
    "nvidia": NVIDIA,
}


def table_spec(settings: Mapping[str, Any]) -> TableSpec:
    """A layout from plain data: a named layout, and the fields that differ from it.

    Args:
        settings: Fields of :class:`TableSpec`; ``layout`` may be ``flat``, ``pivot`` or a name in
            :data:`LAYOUTS`.

    Raises:
        TableError: If a field or the layout is unknown, or a field has a wrong type.

    Example:
        >>> table_spec({"layout": "pact", "values": "top5"}).values
        ('top5',)
    """
    names = [f.name for f in fields(TableSpec)]
    for name in settings:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TableError(f"a table has no {name!r}; it has {', '.join(names)}{hint}")
    chosen = settings.get("layout", "flat")
    start = LAYOUTS.get(chosen)
    changes = {k: _field(k, v) for k, v in settings.items() if k != "layout"}
    if start is None:
        if chosen not in KINDS:
            allowed = ", ".join([*LAYOUTS, "pivot"])
            raise TableError(f"layout must be one of {allowed}, got {chosen!r}")
        return TableSpec(layout=chosen, **changes)
    return replace(start, **changes)


def _field(name: str, value: Any) -> Any:
    if name == "only":
        if not isinstance(value, Mapping):
            raise TableError(f"{name} must be a mapping of settings to values, got {value!r}")
        return {key: _words(name, allowed) for key, allowed in value.items()}
    if name == "baseline":
        if not isinstance(value, Mapping):
            raise TableError(f"{name} must be a mapping of settings to values, got {value!r}")
        return {key: str(text) for key, text in value.items()}
    return None if value is None else _words(name, value)


def _words(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        raise TableError(f"{name} must be a name or a list of names, got {value!r}")
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else (str(value),)
