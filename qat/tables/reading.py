"""Lines under a table that explain how to read its cells."""

from collections import Counter
from collections.abc import Iterator, Sequence

from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.tables.cells import Cell, Row
from qat.tables.paired import PairedDifference
from qat.tables.statistics import Statistic

BOLD = (
    "bold: the best result of our own rows, and all results that do not differ significantly from "
    "it (95 % paired t interval over seeds; rows with fewer than 3 seeds are not tested); "
    "only rows of the same network, data set and protocol notes are compared"
)
FLOAT = "float rows are the reference of the quantized ones: they are not compared, and never bold"
DATA_SETS = "rows of different data sets are not comparable: notes and bold apply within a data set"
UNTIMED = (
    "no latency in a runtime was measured: qat measure RUN_DIR measures it for a run with "
    "export=onnx"
)


def usual_count(rows: Sequence[Row]) -> int | None:
    """The n that most cells have, for the footer; None if no cell has two seeds or more."""
    counts = Counter(n for row in rows for cell in row.cells if (n := count_of(cell)) is not None)
    if not counts or max(counts) < 2:
        return None
    return max(counts, key=lambda n: (counts[n], n))


def count_of(cell: Cell) -> int | None:
    """Number of seeds of a mean, or of pairs of a difference; None for other cells."""
    return cell.n if isinstance(cell, Statistic | PairedDifference) else None


def how_to_read(rows: Sequence[Row], records: Sequence[RunRecord]) -> Iterator[str]:
    """The lines that a table needs: number of seeds, bold, more than one data set.

    Args:
        rows: Rows of the table.
        records: Its runs, for their data sets.
    """
    usual = usual_count(rows)
    if usual is not None:
        yield from _counts(rows, usual)
    if any(row.bold for row in rows):
        yield BOLD
        if _has_float_beside_bold(rows, records):
            yield FLOAT
    if len({run_facts(record).data for record in records}) > 1:
        yield DATA_SETS


def _has_float_beside_bold(rows: Sequence[Row], records: Sequence[RunRecord]) -> bool:
    """Whether a float row has a value in a column with bold ones."""
    floats = {record.id for record in records if run_facts(record).is_float}
    bold = {place for row in rows for place in row.bold}
    reference = [row for row in rows if row.ids and floats.issuperset(row.ids)]
    return any(row.cells[place] is not None for row in reference for place in bold - row.bold)


def untimed(records: Sequence[RunRecord]) -> Iterator[str]:
    """How to measure a latency, if no quantized run has one: torch only simulates them."""
    quantized = [record for record in records if record.mode != "float"]
    if quantized and not any("latency_ms" in record.metrics for record in quantized):
        yield UNTIMED


def _counts(rows: Sequence[Row], usual: int) -> Iterator[str]:
    spread = "mean ± standard deviation over" if usual > 1 else "one value of"
    seeds = f"{usual} seeds" if usual > 1 else "1 seed"
    others = {count_of(cell) for row in rows for cell in row.cells} - {None, usual}
    yield f"cells: {spread} {seeds}" + ("; (n): n values instead" if others else "")
