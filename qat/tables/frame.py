"""A table as a DataFrame, with the columns of its CSV form."""

from typing import TYPE_CHECKING

from qat.tables.cells import Table
from qat.tables.render import notes_of, raw_cells, raw_names

if TYPE_CHECKING:
    import pandas as pd


def table_frame(table: Table) -> "pd.DataFrame":
    """Raw numbers with every digit: ``top1_mean``, ``top1_std``, ``top1_n``; settings as text.

    A setting whose values are all whole numbers, such as ``weight_bits``, has a column of numbers.
    The last columns are tuples: ``seeds``, ``ids`` and ``notes``; ``attrs["footer"]`` says how to
    read the table.

    Args:
        table: The table.

    Example:
        >>> from qat.records.schema import RunRecord
        >>> from qat.tables.table import make_table
        >>> run = RunRecord(id="a1", status="done", mode="float", seed=0, metrics={"top1": 0.9})
        >>> table_frame(make_table([run], ["mode", "top1"])).loc[0, "top1_mean"].item()
        0.9
    """
    import pandas as pd

    names, settings = raw_names(table), [c.name for c in table.columns if c.metric is None]
    rows = [[*raw_cells(table, r), r.seeds, r.ids, tuple(notes_of(table, r))] for r in table.rows]
    frame = pd.DataFrame(rows, columns=[*names, "seeds", "ids", "notes"])
    for name in settings:
        if _are_whole(frame[name].dropna()):
            frame[name] = pd.to_numeric(frame[name]).astype("Int64")
    for name in (name for name in names if name not in settings):
        frame[name] = frame[name].astype("int64" if name.endswith("_n") else "float64")
    frame.attrs["footer"] = list(table.footer)
    return frame


def _are_whole(texts: "pd.Series[str]") -> bool:
    return len(texts) > 0 and all(text.isdecimal() for text in texts)
