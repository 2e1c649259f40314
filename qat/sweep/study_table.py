"""Check the table of a study before its first run, not when the last one has ended."""

from collections.abc import Mapping
from typing import Any

from qat.tables.columns import make_column
from qat.tables.layout import table_spec


def check_study_table(layout: Mapping[str, Any]) -> None:
    """Check the fields of a layout, and the names of its settings and metrics.

    Raises:
        TableError: If a field or a name is unknown.

    Example:
        >>> check_study_table({"layout": "flat", "columns": ["mode", "top1"]})
        >>> check_study_table({"columns": ["drop"]})
        Traceback (most recent call last):
        ...
        qat.tables.errors.TableError: no column 'drop'; nearest: top1_drop; or a path like \
protocol.training.max_epochs
    """
    spec = table_spec(layout)
    names = [*(spec.columns or ()), *spec.rows, *spec.values, *spec.group, *spec.only]
    for name in [*names, *spec.baseline, *spec.compare, *spec.bold]:
        make_column(name, ())
