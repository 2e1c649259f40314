"""The view of all runs for TensorBoard: ``python -m qat.report.all_view [RUNS]``.

It prints the folder to show; ``make tensorboard`` passes this folder to TensorBoard.
"""

import os
import sys
from pathlib import Path

from qat.records.schema import canonical_json
from qat.records.store import find_records
from qat.report.study_figures import study_figures
from qat.tables.render import render
from qat.tables.table import make_table
from qat.tracking.layout import EVENTS
from qat.tracking.study import ALL_RUNS, build_study_view, view_names


def write_all_view(runs: Path) -> Path:
    """Update the view of all finished runs of a folder, with their table.

    Returns:
        The folder for TensorBoard.
    """
    records, _ = find_records([runs])
    shown = [r for r in records if r.status == "done" and (runs / r.id / EVENTS).is_dir()]
    names = {name: runs / id_ for name, id_ in view_names(shown).items()}
    content = canonical_json([[record.id, record.metrics] for record in shown])
    table = render(make_table(shown)) if shown else "no finished run yet"
    return build_study_view(
        runs, ALL_RUNS, names, table, lambda: study_figures(shown), content, shown
    )


if __name__ == "__main__":
    print(write_all_view(Path(sys.argv[1] if sys.argv[1:] else os.environ.get("QAT_RUNS", "runs"))))
