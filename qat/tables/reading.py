"""Lines under a table that say how its cells are read."""

from collections import Counter
from collections.abc import Iterator, Sequence

from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.tables.cells import Cell, Row
from qat.tables.paired import PairedDifference
from qat.tables.statistics import Statistic

BOLD = (
    "bold: not told apart from the best of our own rows that are of one network and data set and "
    "have the same protocol notes (95 % paired t over seeds; with fewer than 3 seeds nothing is "
    "told apart)"
)
DATA_SETS = "rows of different data sets are not to be compared: notes and bold keep within each"
UNTIMED = "no latency on a runtime: qat measure RUN_DIR takes it, of a run with export=onnx"


def usual_count(rows: Sequence[Row]) -> int | None:
    """The n that most cells have, and that is said once below; None if no row has two seeds."""
    counts = Counter(n for row in rows for cell in row.cells if (n := count_of(cell)) is not None)
    if not counts or max(counts) < 2:
        return None
    return max(counts, key=lambda n: (counts[n], n))


def count_of(cell: Cell) -> int | None:
    """Seeds of a mean, or pairs of a difference; None of what has none."""
    return cell.n if isinstance(cell, Statistic | PairedDifference) else None


def how_to_read(rows: Sequence[Row], records: Sequence[RunRecord]) -> Iterator[str]:
    """What the numbers of seeds, bold and more than one data set mean, where they are there."""
    usual = usual_count(rows)
    if usual is not None:
        yield from _counts(rows, usual)
    if any(row.bold for row in rows):
        yield BOLD
    if len({run_facts(record).data for record in records}) > 1:
        yield DATA_SETS


def untimed(records: Sequence[RunRecord]) -> Iterator[str]:
    """How a latency is measured, where quantized runs have none: torch only simulates them."""
    quantized = [record for record in records if record.mode != "float"]
    if quantized and not any("latency_ms" in record.metrics for record in quantized):
        yield UNTIMED


def _counts(rows: Sequence[Row], usual: int) -> Iterator[str]:
    spread = "mean ± standard deviation over" if usual > 1 else "one value of"
    seeds = f"{usual} seeds" if usual > 1 else "1 seed"
    others = {count_of(cell) for row in rows for cell in row.cells} - {None, usual}
    yield f"cells: {spread} {seeds}" + ("; (n): over n instead" if others else "")
