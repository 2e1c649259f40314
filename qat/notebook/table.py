"""``qat.table``: runs as a DataFrame, as the command ``qat table``."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qat.base.errors import InputError
from qat.records.schema import RunRecord
from qat.report.requested_table import requested_table
from qat.report.study_runs import table_request
from qat.tables.frame import table_frame
from qat.tables.layout import table_spec
from qat.tables.table import table_from

if TYPE_CHECKING:
    import pandas as pd


def table(
    *what: str | Path | RunRecord | Iterable[RunRecord],
    columns: Sequence[str] | None = None,
    group: Sequence[str] = (),
    layout: str | None = None,
    scale: str | None = None,
    config_dir: Path | str | None = None,
    strict: bool = False,
) -> "pd.DataFrame":
    """Runs as rows, grouped over seeds.

    It is the table of the command ``qat table`` with the raw numbers of its CSV form: a metric has
    the columns ``top1_mean``, ``top1_std`` (over seeds) and ``top1_n``.

    Args:
        what: Records, or one study, or runs and folders of runs as after ``qat table``. Without
            any: all runs.
        columns: Settings and metrics to show; None for those of the layout.
        group: More settings whose values get separate rows; ``["seed"]`` gives a row for each run.
        layout: ``flat``, ``pact``, ``hawq`` or ``nvidia``; None for that of the study, or ``flat``.
        scale: Scale of the study; None for the scale that ran last.
        config_dir: Folder of your own studies.
        strict: Refuse rows whose protocols differ.

    Raises:
        ValueError: If there are no runs, a name is unknown, or rows cannot be in one table.
        KeyError: If there is no such run.

    Example:
        >>> import qat
        >>> runs = [
        ...     qat.RunRecord(name, "done", "float", seed, metrics={"top1": top1})
        ...     for name, seed, top1 in (("a", 0, 0.90), ("b", 1, 0.92))
        ... ]
        >>> frame = qat.table(runs, columns=["mode", "top1"])
        >>> round(frame.loc[0, "top1_mean"].item(), 3), frame.loc[0, "ids"]
        (0.91, ('a', 'b'))
    """
    settings = {"layout": layout} if layout else {}
    more = {"columns": columns, "group": group}
    more = {key: list(value) for key, value in more.items() if value}
    records, words = _sorted(what)
    if what and not (records or words):
        raise InputError("no records to tabulate: give at least one")
    if records and words:
        raise InputError(f"give records, or names of runs, not both; got {words[0]} and records")
    if records:
        return table_frame(table_from(records, table_spec(settings | more), strict=strict))
    folder = None if config_dir is None else Path(config_dir)
    request = table_request(words, scale, folder, layout, strict)
    return table_frame(requested_table(replace(request, layout=request.layout | more)))


def _sorted(
    what: Iterable[str | Path | RunRecord | Iterable[RunRecord]],
) -> tuple[list[RunRecord], list[str]]:
    """Records, and words for the command."""
    records: list[RunRecord] = []
    words: list[str] = []
    for one in what:
        if isinstance(one, RunRecord):
            records.append(one)
        elif isinstance(one, str | Path):
            words.append(str(one))
        else:
            records += one
    return records, words
